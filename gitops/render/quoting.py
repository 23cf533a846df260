"""Quoting for Dockerfiles: whatever a value holds, it stays that value and never becomes an instruction.

The rules are those of BuildKit's Dockerfile frontend: a line is parsed into an instruction's arguments, as
JSON or as words, and some instructions then expand `$NAME` and take quotes and backslashes away.
"""

import json
import re
from collections.abc import Sequence

from gitops.system.errors import UserError

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_EXPANDED = str.maketrans({character: f"\\{character}" for character in "\\\"'$"})
_QUOTED = str.maketrans({character: f"\\{character}" for character in '\\"$'})


def exec_form(words: Sequence[str]) -> str:
    """Write words as the JSON form of RUN, CMD, ENTRYPOINT and HEALTHCHECK, which expand nothing.

    Every character above ASCII, every control character and `<`, which could begin a here-document in the
    eyes of the parser, becomes a JSON escape.

    Raises:
        UserError: a word holds what no program can be given (NUL, half a surrogate pair).
    """
    return json.dumps([_sane(word) for word in words]).replace("<", r"\u003c")


def expanded_form(words: Sequence[str]) -> str:
    """Write words as the JSON form of VOLUME, which trims, then expands them; raises as `exec_form` does."""
    return exec_form([_expanded(_sane(word)) for word in words])


def quoted(value: str, what: str) -> str:
    """Write a value in double quotes, for ENV, LABEL and WORKDIR, which expand it.

    Args:
        value: the value.
        what: what it is, for the message.

    Raises:
        UserError: it holds a line break or another control character, for which a Dockerfile has no escape.
    """
    if _CONTROL.search(value):
        raise UserError(
            f"{what} holds a line break or control character, which a Dockerfile cannot express",
            hint="put the value in a file and `copy` it, or set it on the service",
        )
    body = _sane(value).rstrip("\\")
    # Backslashes at the end stand outside, before an empty pair, since hadolint takes
    # `\\"` for a quote that is escaped.
    tail = "\\\\" * (len(value) - len(body)) + '""' if body != value else ""
    return f'"{body.translate(_QUOTED)}"{tail}'


def _expanded(word: str) -> str:
    trimmed = word != word.strip()  # what stands in quotes of its own is not
    return f'"{word.translate(_QUOTED)}"' if trimmed else word.translate(_EXPANDED)


def _sane(word: str) -> str:
    if "\0" in word or any("\ud800" <= character <= "\udfff" for character in word):
        raise UserError(f"{word!r} holds a character that no program can be given")
    return word
