"""The scalars that definitions are made of: each parses what people write into what programs use."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core.core_schema import CoreSchema, custom_error_schema, str_schema


class Model(BaseModel):
    """What every definition is: frozen, and with no key that it does not know.

    A model's validator is built when it is first needed: those inside others never need one of their own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False, defer_build=True)


@dataclass(frozen=True)
class Matching:
    """A text that matches a pattern, and the words for that; stands first in an `Annotated[str, …]`."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        """Give pydantic the pattern, and the words for its error."""
        schema = str_schema(pattern=self.pattern)
        return custom_error_schema(
            schema,
            "matching",
            custom_error_message="must be {words}",
            custom_error_context={"words": self.words},
        )


_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w))")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(b|k|kb|m|mb|g|gb|t|tb)?", re.IGNORECASE)
_SHIFT = {"b": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def parse_duration(value: object) -> object:
    """Turn `1h30m`, `90s` or `1.5m` (Compose Specification, "Specifying durations") into seconds."""
    if not isinstance(value, str):
        return value
    if not value or _DURATION.sub("", value):
        raise ValueError(f"{value!r} is not a duration; write for example 30s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(value))


def parse_size(value: object) -> object:
    """Turn `512m` or `1gb` (Compose Specification, "Specifying byte values") into bytes."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if not match:
        raise ValueError(f"{value!r} is not a size; write for example 64k, 512m or 2g")
    number, unit = match.groups()
    return int(float(number) * (1 << _SHIFT[(unit or "b").lower()[0]]))


def split_command(value: object) -> object:
    """Turn a command's string form into `sh -c`, as a Dockerfile's shell form does; a list stays as it is."""
    return ["/bin/sh", "-c", value] if isinstance(value, str) else value


def _text(value: object) -> object:
    """Take a number or a boolean where a text is meant, as Compose does for environment and labels."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _relative(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{value!r} leaves the fleet; write a path inside it")
    return str(path)


def _absolute(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{value!r} is not an absolute path")
    return value


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _single_line(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("line breaks and control characters cannot stand here")
    return value


def _pairs(value: object) -> object:
    """Turn Compose's list form `[A=1, B=2]` into a mapping; a mapping stays as it is."""
    if not isinstance(value, list):
        return value
    pairs: dict[str, object] = {}
    for item in value:
        if not isinstance(item, str) or "=" not in item:
            raise ValueError(f"{item!r} is not NAME=VALUE")
        name, _, text = item.partition("=")
        pairs[name] = text
    return pairs


NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"

Name = Annotated[str, Matching(NAME, "a name of lower-case letters, digits and hyphens")]
"""A name of ours: lower-case letters, digits and hyphens, at most 63, as a DNS label (RFC 1123)."""

Text = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | float | bool)]
Line = Annotated[str, AfterValidator(_single_line)]
"""A text that stays on one line, because it ends up in a line-based file."""

Duration = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=str | float),
    Field(ge=0, allow_inf_nan=False),
]
"""Seconds; written as Compose durations."""

Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=str | int), Field(ge=0)]
"""Bytes; written as Compose byte values."""

Command = Annotated[
    tuple[str, ...],
    BeforeValidator(split_command, json_schema_input_type=str | list[str]),
    Field(min_length=1),
]
"""Program and arguments; a plain string is run by `sh -c`."""

Variable = Annotated[str, Matching(r"^[A-Za-z_][A-Za-z0-9_]*$", "a name of letters, digits and underscores")]
Environment = Annotated[
    dict[Variable, Text],
    BeforeValidator(_pairs, json_schema_input_type=dict[str, str | int | float | bool] | list[str]),
]
Labels = Annotated[
    dict[
        Annotated[
            str,
            Matching(
                r"^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$",
                "a label: letters and digits with . _ / - between",
            ),
        ],
        Text,
    ],
    BeforeValidator(_pairs, json_schema_input_type=dict[str, str | int | float | bool] | list[str]),
]
RelativePath = Annotated[str, AfterValidator(_relative), AfterValidator(_single_line)]
AbsolutePath = Annotated[str, AfterValidator(_absolute), AfterValidator(_single_line)]
User = Annotated[
    str,
    Matching(r"^[a-z0-9_][a-z0-9_-]*(:[a-z0-9_][a-z0-9_-]*)?$", "a user or user:group, by name or number"),
    BeforeValidator(_text),
]
Signal = Annotated[
    str,
    Matching(r"^(SIG[A-Z0-9+-]+|[1-9][0-9]?)$", "a signal, for example SIGTERM"),
    BeforeValidator(_text),
]
Package = Annotated[
    str, Matching(r"^[a-z0-9][a-z0-9+.-]+$", "the name of a Debian package, without a version")
]
"""A Debian package name (Debian Policy 5.6.7); the version is the lock's business."""
AgeRecipient = Annotated[str, Matching(r"^age1[a-z0-9]{58}$", "an age recipient, which begins with age1")]
