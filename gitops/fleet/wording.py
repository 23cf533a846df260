"""What is wrong with a definition, in plain words, and the nearest right word."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gitops.fleet.document import At

_FEW = 16  # words that still make a list one reads

_MUST = {
    "string_type": "be a text",
    "int_type": "be a whole number",
    "int_parsing": "be a whole number",
    "int_parsing_size": "be a smaller number",
    "int_from_float": "be a whole number",
    "float_type": "be a number",
    "float_parsing": "be a number",
    "finite_number": "be a finite number",
    "bool_type": "be true or false",
    "bool_parsing": "be true or false",
    "tuple_type": "be a list",
    "list_type": "be a list",
    "dict_type": "be a mapping",
    "model_type": "be a mapping",
    "too_short": "not be empty",
    "string_too_short": "not be empty",
    "matching": "be {words}",
    "literal_error": "be {expected}",
    "greater_than": "be more than {gt:g}",
    "greater_than_equal": "be at least {ge:g}",
    "invalid_key": "be a text, since it is a key",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a document, before it is known which file to blame.

    Args:
        at: where, as keys and indexes.
        message: what is wrong.
        hint: the nearest right thing.
        key: True when the key there is wrong, not its value.
        about: "missing", "unknown", or empty; the first two are about a mapping, not about a value.
    """

    at: At
    message: str
    hint: str = ""
    key: bool = False
    about: str = ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give a hint with the known word that is nearest, or with all of them when they are few."""
    from difflib import get_close_matches  # noqa: PLC0415 - it takes 7 ms, and a fleet that is whole needs none

    words = sorted(known)
    close = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known: {', '.join(words)}" if 0 < len(words) <= _FEW else ""


def faults(error: ValidationError, model: type[BaseModel], content: dict[Any, Any]) -> list[Fault]:
    """Translate what pydantic says about a document's content, read as a model."""
    return [_fault(details, model, content) for details in error.errors(include_url=False)]


def value_at(content: Any, at: At) -> tuple[Any, int]:  # noqa: ANN401 - a document can hold anything
    """Give the value at a path, or the nearest around it that exists, and how many steps lead there."""
    for taken, step in enumerate(at):
        in_list = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if not in_list and not (isinstance(content, dict) and step in content):
            return content, taken
        content = content[step]
    return content, len(at)


def _fault(details: ErrorDetails, model: type[BaseModel], content: dict[Any, Any]) -> Fault:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    key = "[key]" in details["loc"] or kind == "invalid_key"
    at = tuple(step for step in details["loc"] if step != "[key]")
    if kind == "missing":
        field = _known(model, at[:-1]).get(str(at[-1]), "")
        return Fault(at[:-1], f"`{at[-1]}` is missing", field, key=True, about="missing")
    if kind == "extra_forbidden":
        hint = did_you_mean(str(at[-1]), _known(model, at[:-1]))
        return Fault(at, f"unknown key `{at[-1]}`", hint, key=True, about="unknown")
    if kind == "value_error":
        message = str(context["error"])
        return Fault(at, f"{_subject(at)} {message}" if message.startswith("must ") else message)
    if key and (twin := _twin(at, content)):
        return Fault(at, f"`{at[-1]}` and `{twin}` differ only in case", "rename one", key=True)
    must = _MUST.get(kind, "be something else").format_map(context).replace("'", "`")
    given = "" if kind.endswith("too_short") else f", not {_named(value)}"
    subject = f"`{at[-1]}`" if key else _subject(at)
    return Fault(at, f"{subject} must {must}{given}", _nearest(kind, value, context, key=key), key=key)


def _nearest(kind: str, value: object, context: dict[str, Any], *, key: bool) -> str:
    if kind == "literal_error":
        return did_you_mean(str(value), re.findall("'(.*?)'", context["expected"]))
    if kind in {"string_type", "matching"} and isinstance(value, bool | int | float):
        return "put it in quotes"
    if kind == "matching" and key and isinstance(value, str) and not value.islower():
        return did_you_mean(value, [value.lower()])
    return ""


def _subject(at: At) -> str:
    if at and isinstance(at[-1], int) and len(at) > 1:
        return f"each of `{at[-2]}`"
    return f"`{at[-1]}`" if at else "it"


def _named(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"{value!r}"
        case dict():
            return "a mapping"
    return "a list"


def _twin(at: At, content: dict[Any, Any]) -> str | None:
    siblings, _ = value_at(content, at[:-1])
    return next(
        (
            other
            for other in (siblings if isinstance(siblings, dict) else ())
            if isinstance(other, str) and other != at[-1] and other.lower() == str(at[-1]).lower()
        ),
        None,
    )


def _known(model: type[BaseModel], at: At) -> dict[str, str]:
    """Give the keys that may stand at a path, each with its description."""
    types: list[Any] = [model]
    for step in at:
        types = [inner for outer in types for inner in _inside(outer, step)]
    return {
        field.alias or name: field.description or ""
        for found in types
        for name, field in (
            found.model_fields.items() if isinstance(found, type) and issubclass(found, BaseModel) else ()
        )
    }


def _inside(outer: Any, step: str | int) -> Iterator[Any]:  # noqa: ANN401 - types of types have no type
    if isinstance(outer, type) and issubclass(outer, BaseModel):
        for name, field in outer.model_fields.items():
            if step in {name, field.alias}:
                yield from _alternatives(field.annotation)
    elif get_args(outer):
        yield from _alternatives(get_args(outer)[1 if get_origin(outer) is dict else 0])


def _alternatives(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - types of types have no type
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _alternatives(member)
    else:
        yield annotation
