"""Compose's interpolation: `$A`, `${A}`, `${A:-default}`, `${A:?message}`, `${A:+replacement}` and `$$`.

Format: Compose Specification, "Interpolation". Without the colon an operator asks whether a variable is set,
with it whether it is set and not empty. What follows an operator may itself hold variables.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_PLAIN = re.compile(r"[^$}]+")
_HINT = "write ${NAME}, or $$ for a plain $"


class InterpolationError(ValueError):
    """A text that cannot be interpolated.

    Args:
        message: why.
        hint: what to write instead.
    """

    def __init__(self, message: str, hint: str = _HINT) -> None:
        """Keep the hint beside the message."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Variable:
    """A variable in a text, with what its operator says and the text after the operator."""

    name: str
    operator: str = ""
    word: tuple["str | Variable", ...] = ()


Parts = tuple[str | Variable, ...]


@lru_cache(maxsize=4096)
def parse(text: str) -> Parts:
    """Take a text apart into plain texts and variables.

    Raises:
        InterpolationError: no name, brace or other `$` follows a `$`, or a brace is not closed.
    """
    try:
        return _parts(text, 0, nested=False)[0]
    except RecursionError:
        raise InterpolationError("is nested too deeply") from None


def names(parts: Parts) -> Iterator[str]:
    """Give the name of every variable, those in defaults too, in the order in which they stand."""
    for part in parts:
        if isinstance(part, Variable):
            yield part.name
            yield from names(part.word)


def texts(value: object, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find every text that may name variables in what YAML gave, keys aside.

    Args:
        value: a text, number, mapping or list of such.
        at: where it stands.

    Yields:
        Where a text with a dollar sign stands, and the text.
    """
    if isinstance(value, str):
        if "$" in value:
            yield at, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, (*at, index))


def fill(parts: Parts, values: Mapping[str, str | None]) -> str:
    """Put values in the place of variables.

    Args:
        parts: what `parse` gave.
        values: a value for each variable; None, or no entry, where it is not set.

    Raises:
        InterpolationError: a variable that must be set is not, or `:?` says so.
    """
    return "".join(part if isinstance(part, str) else _value(part, values) for part in parts)


def _value(variable: Variable, values: Mapping[str, str | None]) -> str:
    value = values.get(variable.name)
    given = value is not None and (value != "" or not variable.operator.startswith(":"))
    match variable.operator[-1:]:
        case "-":
            return value or "" if given else fill(variable.word, values)
        case "+":
            return fill(variable.word, values) if given else ""
        case "?" if not given:
            raise InterpolationError(
                fill(variable.word, values) or f"parameter {variable.name} is needed",
                f"give {variable.name} a value",
            )
    if value is None:
        raise InterpolationError(
            f"parameter {variable.name} has no value",
            f"give it one, or write ${{{variable.name}:-…}} for what to use without",
        )
    return value


def _parts(text: str, start: int, *, nested: bool) -> tuple[Parts, int]:
    """Read from an offset to the end, or to the brace of the variable around it; give the offset there."""
    parts: list[str | Variable] = []
    plain = ""
    while start < len(text) and not (nested and text[start] == "}"):
        if text.startswith("$$", start):
            plain += "$"
            start += 2
        elif text[start] == "$":
            variable, start = _variable(text, start)
            parts += [plain, variable]
            plain = ""
        elif run := _PLAIN.match(text, start):
            plain += run[0]
            start = run.end()
        else:
            plain += "}"
            start += 1
    return tuple(part for part in (*parts, plain) if part), start


def _variable(text: str, start: int) -> tuple[Variable, int]:
    """Read one variable at its `$`; give it and the offset behind it."""
    braced = text.startswith("${", start)
    name = _NAME.match(text, start + (2 if braced else 1))
    if not name:
        raise InterpolationError(f"{text[start : start + 12]!r}: no name follows the $")
    if not braced:
        return Variable(name[0]), name.end()
    operator = _OPERATOR.match(text, name.end())
    word: Parts = ()
    end = name.end()
    if operator:
        word, end = _parts(text, operator.end(), nested=True)
    if not text.startswith("}", end):
        raise InterpolationError(
            f"{text[start : start + 40]!r}: "
            + ("the brace is not closed" if end == len(text) else f"{text[end]!r} cannot follow a name"),
            "write ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+replacement}",
        )
    return Variable(name[0], operator[0] if operator else "", word), end + 1
