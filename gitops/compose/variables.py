"""Variables of a Compose file: each becomes a parameter of the app, with the default that it had."""

import re
from collections.abc import Iterator
from typing import Any

from gitops.compose.source import Source
from gitops.fleet.document import At
from gitops.fleet.instances import BUILT_IN
from gitops.fleet.interpolation import InterpolationError, Parts, Variable, parse, texts
from gitops.system.errors import UserError

_SECRET = re.compile(
    r"(?i)(^|_)(pass|passwd|password|passphrase|secret|token|credentials?|(api|access|private|secret|encryption)_?key)"
    r"(_base)?$"
)
_NAME = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_LOGIN = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def is_secret(name: str, value: object) -> bool:
    """Tell whether a variable obviously holds a password, by its name or by a login in its value."""
    text = str(value)
    plain = text.lower() in {"", "true", "false", "yes", "no", "0", "1"}
    return bool((_SECRET.search(name) and not plain) or _LOGIN.search(text))


def parameters(source: Source, kept: Any, at: At) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - any YAML
    """Give a parameter for each variable in what is kept of a file, in the order in which they stand.

    Raises:
        UserError: a variable is not written as Compose has it.
    """
    found: dict[str, dict[str, Any]] = {}
    for place, text in texts(kept, at):
        try:
            variables = list(_variables(parse(text)))
        except InterpolationError as error:
            problem = source.document.problem(place, str(error), error.hint)
            raise UserError.of([problem]) from error
        for variable in variables:
            if variable.name in BUILT_IN:
                source.note(
                    place, f"${{{variable.name}}} is the {variable.name}'s name here; use another name"
                )
            elif variable.name not in found or "default" not in found[variable.name]:
                found[variable.name] = _parameter(source, variable)
    return found


def names(source: Source) -> set[str]:
    """Give the names that look like variables in a file, for what is not to be called like one."""
    text = source.document.path.read_text()
    return set(_NAME.findall(text)) | source.variables.keys()


def _parameter(source: Source, variable: Variable) -> dict[str, Any]:
    if variable.name in source.variables:
        value = source.variables[variable.name]
        return {} if is_secret(variable.name, value) else {"default": value}
    if variable.operator.endswith("-") and all(isinstance(part, str) for part in variable.word):
        return {"default": "".join(str(part) for part in variable.word)}
    return {"default": ""} if variable.operator.endswith("+") else {}


def _variables(parts: Parts) -> Iterator[Variable]:
    for part in parts:
        if isinstance(part, Variable):
            yield part
            yield from _variables(part.word)
