"""Manual pages, a verb each, of the text that `--help` prints; `python -m gitops.cli.manual DIR` writes them.

Their form is man(7), and what stands in which section man-pages(7).
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from gitops import __version__
from gitops.cli.tree import PROGRAM, Parameter, Verb, tree

_EXIT = (
    ("0", "It is done."),
    ("1", "You can mend it; standard error says what is wrong, and the nearest right thing."),
    ("2", "Wrong usage."),
    ("130", "It was interrupted; run it again to carry on."),
)
_ENVIRONMENT = (
    ("GITOPS_ROOT", "A directory that takes the place of / for all of gitops' directories."),
    (
        "GITOPS_CONFIG, GITOPS_STATE, GITOPS_CACHE, GITOPS_RUNTIME, GITOPS_CRON, GITOPS_SYSTEMD",
        "Move one each.",
    ),
    ("NO_COLOR", "Anything in it keeps colours from the terminal."),
)
_FILES = (
    ("fleet.yaml, images/, apps/, hosts/, secrets/, locks/, rendered/", "The fleet."),
    ("/etc/gitops", "What this host's administrator decides: the agent's settings, signers, keys."),
    ("/var/lib/gitops", "What this host runs, its history, job logs."),
    ("/var/cache/gitops", "What can be fetched or made again."),
)


def pages() -> dict[str, str]:
    """Give each page, as roff, by the name of its file: `gitops-backup-run.1`."""
    top = tree()
    above = {each.words: verb for verb in top.walk() for each in verb.verbs}
    return {f"{_name(verb)}.1": _page(verb, above.get(verb.words)) for verb in top.walk()}


def write_pages(directory: Path) -> None:
    """Write all of them into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (directory / name).write_text(text)


def _name(verb: Verb) -> str:
    return "-".join(verb.words)


def _page(verb: Verb, above: Verb | None) -> str:
    lines = [f'.TH {_escaped(_name(verb).upper())} 1 "" "{PROGRAM} {__version__}" "{PROGRAM} manual"']
    lines += [".nh", ".ad l"]  # names of verbs and files are neither taken apart nor stretched
    lines += [".SH NAME", f"{_escaped(_name(verb))} \\- {_escaped(verb.short.rstrip('.'))}"]
    lines += [".SH SYNOPSIS", *_synopsis(verb), ".SH DESCRIPTION"]
    lines += "\n.PP\n".join(map(_escaped, verb.help)).splitlines()
    if verb.arguments:
        lines += [".SH ARGUMENTS", *_list((each.label, each.help) for each in verb.arguments)]
    if verb.verbs:
        listed = ((f"{_name(each)}(1)", each.short) for each in verb.verbs)
        lines += [".SH COMMANDS", *_list(listed)]
    lines += [".SH OPTIONS", *_list((each.label, _told(each)) for each in verb.options)]
    lines += [".SH EXIT STATUS", *_list(_EXIT)]
    if above is None:
        lines += [".SH ENVIRONMENT", *_list(_ENVIRONMENT), ".SH FILES", *_list(_FILES)]
    near = [each for each in (above, *(above.verbs if above and above.words != (PROGRAM,) else ())) if each]
    near += verb.verbs if above is not None else ()
    if others := sorted({_name(each) for each in near} - {_name(verb)}):
        lines += [".SH SEE ALSO", " ,\n".join(f".BR {_escaped(each)} (1)" for each in others)]
    return "\n".join(lines) + "\n"


def _synopsis(verb: Verb) -> list[str]:
    program = " ".join(verb.words)
    return [f".B {_escaped(program)}", _escaped(verb.usage.removeprefix(program).strip())]


def _told(option: Parameter) -> str:
    words = [option.help]
    if option.choices:
        words.append(f"One of {', '.join(option.choices)}.")
    if option.default:
        words.append(f"Otherwise {option.default}.")
    return " ".join(words)


def _list(entries: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, meaning in entries:
        yield from (".TP", f".B {_escaped(term)}", _escaped(meaning))


def _escaped(text: str) -> str:
    """Write text so that roff sets it as it is; a line of it begins no request (groff(7), escapes)."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("`", "\\(ga")
    text = text.replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    text = re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", text)
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
