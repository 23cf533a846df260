"""The answer to a shell: a line a word, after a tab what it means.

A script of templates/completion calls `gitops` with `_GITOPS_COMPLETE=SHELL` in its environment and, as
arguments, the words of the line up to the one that the cursor is in. A last line `:files` or `:directories`
leaves the rest to the shell, which knows paths best.
"""

import re
import sys
from collections.abc import Iterable, Sequence

from gitops.cli.completing.cursor import Cursor
from gitops.cli.completing.names import Names, known
from gitops.cli.completing.verbs import verbs

VARIABLE = "_GITOPS_COMPLETE"
"""Of the environment: names the shell that asks. No answer depends on it so far."""

_PATHS = {"DIR": ":directories", "FILE": ":files"}

# A name in a definition is as long, and as strange, as whoever wrote it wanted, and ends on a command line.
_SAFE = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@._/-]{0,200}|--?[a-z][a-z-]*|\*")


def answer(words: Sequence[str]) -> None:
    """Print what may stand where the cursor is.

    Args:
        words: the line up to the cursor, without `gitops`; the last one is what is being typed.
    """
    cursor = Cursor(verbs(), words)
    directive = _PATHS.get(cursor.wanted)
    found = [] if directive else _candidates(cursor)
    lines = [
        f"{cursor.before}{word}\t{' '.join(meaning.split())}".rstrip("\t")
        for word, meaning in found
        if word.startswith(cursor.typed) and _SAFE.fullmatch(word) and meaning.isprintable()
    ]
    sys.stdout.write("".join(f"{line}\n" for line in [*lines, *([directive] if directive else [])]))


def _candidates(cursor: Cursor) -> Iterable[tuple[str, str]]:
    if cursor.choices:
        return [(word, "") for word in cursor.choices]
    if not cursor.wanted:
        return cursor.words
    wanted = [each for each in cursor.wanted.split("|") if each in known()]
    if not wanted:
        return ()
    given = set(cursor.given) if cursor.many else set()
    names = Names(
        fleet=cursor.option("DIR"), host=cursor.option("HOST"), instance=cursor.argument("INSTANCE")
    )
    found = [pair for each in wanted for pair in names.of(each) if pair[0] not in given]
    if cursor.wanted == "INSTANCE" and cursor.takes("JOB"):
        found.append(("@host", "the host itself"))
    return found
