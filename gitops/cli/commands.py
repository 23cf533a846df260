"""docs/commands.md: every verb with its arguments and options, of the text that `--help` prints.

`python -m gitops.cli.commands` prints it.
"""

from collections.abc import Iterator

from gitops.cli.tree import Parameter, Verb, tree

_HEAD = """\
# Commands

Generated from the program: `make reference` writes it anew. `gitops VERB --help` and `man gitops-VERB` say
the same. Exit status: 0 it is done, 1 you can mend it, 2 wrong usage, 130 interrupted.
"""


def commands() -> str:
    """Give the document, in Markdown."""
    return "\n".join([_HEAD, *(line for verb in tree().walk() for line in _section(verb))]).rstrip() + "\n"


def _section(verb: Verb) -> Iterator[str]:
    yield from (f"## {' '.join(verb.words)}", "", f"`{verb.usage}`", "")
    for each in verb.help:
        yield from (_text(each), "")
    if verb.verbs:
        yield from (
            f"- [{each.words[-1]}](#{'-'.join(each.words)}): {_text(each.short)}" for each in verb.verbs
        )
        yield ""
    rows = [*verb.arguments, *(each for each in verb.options if "--help" not in each.spellings)]
    if rows:
        yield from ("| | |", "|---|---|", *map(_row, rows), "")


def _row(one: Parameter) -> str:
    choices = f" One of {', '.join(one.choices)}." if one.choices else ""
    otherwise = f" Otherwise `{one.default}`." if one.default else ""
    return f"| `{one.label}` | {_text(one.help)}{choices}{otherwise} |"


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    print(commands(), end="")
