"""A Compose file as it is read: what it says, where, and what stands beside it.

Format: Compose Specification (https://compose-spec.io), and `.env` as its "Use an .env file" has it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitops.fleet.document import At, Document, read
from gitops.system.errors import UserError

_LARGEST = 1 << 20
_LINE = re.compile(r"""(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)""")
_QUOTED = re.compile(r"""(['"])(.*?)\1\s*(?:#.*)?""")


@dataclass(frozen=True, order=True)
class Note:
    """Something that was not carried over as it stands.

    Args:
        line: in the Compose file, from 1; 0: the file as a whole.
        what: the thing, as `services.web.build`.
        why: and what to do about it.
    """

    line: int
    what: str
    why: str


@dataclass(frozen=True)
class Source:
    """A Compose file.

    Args:
        document: what it says.
        variables: what its `.env` gives for interpolation.
        notes: what was not carried over; grows while it is translated.
    """

    document: Document
    variables: Mapping[str, str]
    notes: list[Note] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        """Where its relative paths begin."""
        return self.document.path.absolute().parent

    def note(self, at: At, why: str) -> None:
        """Say that something was not carried over as it stands, and why."""
        line, _ = self.document.position(at, key=True)
        self.notes.append(Note(line, ".".join(map(str, at)), why))

    def beside(self, relative: str) -> Path | None:
        """Find what a relative path names; None: there is nothing, or it is outside the directory."""
        path = (self.directory / relative).resolve()
        return path if path.is_relative_to(self.directory.resolve()) and path.exists() else None


def read_source(path: Path) -> Source:
    """Read a Compose file and its `.env`.

    Raises:
        UserError: it cannot be read, is not YAML, or has no services.
    """
    document, problems = read(path, str(path))
    if document is None or problems:
        raise UserError.of(problems)
    services = document.content.get("services")
    if not isinstance(services, dict) or not services:
        problem = document.problem(("services",), "has no `services`", "is it a Compose file?")
        raise UserError.of([problem])
    for name, service in services.items():
        if not isinstance(service, dict):
            raise UserError.of([document.problem(("services", name), "a service must be a mapping")])
    beside = path.absolute().parent / ".env"
    return Source(document, read_variables(beside) if beside.is_file() else {})


def read_variables(path: Path) -> dict[str, str]:
    """Read a file of NAME=VALUE lines, as `.env` and `env_file` are; what is no such line is passed over.

    Raises:
        UserError: it cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise UserError("is too large for a file of variables", file=path)
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}", file=path
        ) from error
    found = {}
    for line in text.splitlines():
        if match := _LINE.fullmatch(line.strip()):
            name, value = match.groups()
            quoted = _QUOTED.fullmatch(value)
            found[name] = quoted[2] if quoted else re.sub(r"\s+#.*", "", value)
    return found


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - a file can hold anything
    """Give what may be one or many as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
