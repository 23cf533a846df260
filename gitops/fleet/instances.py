"""From an app and a placement to an instance: parameters get their values, and the whole becomes a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops.fleet.apps import App, Parameter
from gitops.fleet.document import At
from gitops.fleet.hosts import Placement
from gitops.fleet.interpolation import InterpolationError, fill, names, parse, texts
from gitops.fleet.wording import Fault, did_you_mean

BUILT_IN = ("instance", "host", "fleet")
"""Variables that every app may use: the names of the instance, of its host and of the fleet."""

Values = Mapping[str, str | None]

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a text; put it in quotes"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
}
_SAMPLES = {"string": "sample", "integer": "1", "number": "1", "boolean": "true"}


@dataclass(frozen=True, eq=False)
class AppDefinition:
    """An app as it is written.

    Args:
        name: its name.
        file: apps/NAME.yaml.
        document: what the file says, variables not yet filled in.
        parameters: the values that its instances give.
    """

    name: str
    file: Path
    document: dict[str, Any]
    parameters: dict[str, Parameter]


@dataclass(frozen=True, eq=False)
class Instance:
    """One deployed copy of an app on a host, every parameter filled in."""

    name: str
    host: str
    app: str
    definition: App


def starting_order(instance: Instance) -> list[str]:
    """Order services so that each comes after what it depends on; otherwise by name. Cycles are `check`'s."""
    services = instance.definition.services
    order: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        for dependency in sorted(services[name].depends_on):
            if dependency in services and dependency not in above:
                visit(dependency, above | {name})
        order.setdefault(name)

    for name in sorted(services):
        visit(name, frozenset())
    return list(order)


def instantiate(app: AppDefinition, placement: Placement, *, name: str, host: str, fleet: str) -> Instance:
    """Make the instance of an app that a placement asks for.

    Raises:
        InterpolationError: a variable cannot be filled in.
        ValidationError: the app does not fit its model with these values.
    """
    values = values_of(app, placement, name=name, host=host, fleet=fleet)
    return Instance(name, host, app.name, App.model_validate(filled(app, values)))


def values_of(app: AppDefinition, placement: Placement, *, name: str, host: str, fleet: str) -> Values:
    """Give the value of every variable of an instance; None where it has none."""
    values: dict[str, str | None] = {"instance": name, "host": host, "fleet": fleet}
    for parameter, definition in app.parameters.items():
        value = placement.parameters.get(parameter, definition.default)
        values[parameter] = None if value is None else as_text(value)
    return values


def filled(app: AppDefinition, values: Values) -> dict[str, Any]:
    """Give an app's document with its variables filled in; keys and the parameters have none."""
    return {**_filled(_body(app), values), "parameters": app.parameters}


def _body(app: AppDefinition) -> dict[str, Any]:
    return {key: value for key, value in app.document.items() if key != "parameters"}


def filled_with_samples(app: AppDefinition) -> dict[str, Any]:
    """Give an app's document as if it had an instance: with its defaults, or something of the right type."""
    values = {
        name: _SAMPLES[each.type] if each.default is None else as_text(each.default)
        for name, each in app.parameters.items()
    }
    content = _filled(_body(app), {**dict.fromkeys(BUILT_IN, "sample"), **values}, leave=True)
    return {**content, **{key: value for key, value in app.document.items() if key == "parameters"}}


def as_text(value: str | float | bool) -> str:  # noqa: FBT001 - a parameter may be a boolean
    """Write a parameter's value as it goes into a text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def variable_faults(app: AppDefinition) -> Iterator[Fault]:
    """Tell which variables of an app cannot be filled in whatever its instances say."""
    known = {*app.parameters, *BUILT_IN}
    for at, text in texts(_body(app), ()):
        try:
            used = tuple(names(parse(text)))
        except InterpolationError as error:
            yield Fault(at, str(error), error.hint)
            continue
        for name in dict.fromkeys(used):
            if name not in known:
                yield Fault(at, f"unknown parameter `{name}`", did_you_mean(name, known))


def value_faults(app: AppDefinition, values: Values) -> Iterator[Fault]:
    """Tell which texts of an app cannot be filled in with these values."""
    for at, text in texts(_body(app), ()):
        try:
            fill(parse(text), values)
        except InterpolationError as error:
            yield Fault(at, str(error), error.hint)


def parameter_faults(app: AppDefinition) -> Iterator[Fault]:
    """Tell what is wrong with the parameters that an app asks for."""
    lower: dict[str, str] = {}
    for name, parameter in app.parameters.items():
        at = ("parameters", name)
        if name in BUILT_IN:
            yield Fault(at, f"`{name}` always has a value of its own", "choose another name", key=True)
        twin = lower.setdefault(name.lower(), name)
        if twin != name:
            yield Fault(at, f"`{name}` and `{twin}` differ only in case", "rename one", key=True)
        if parameter.default is not None and not _fits(parameter, parameter.default):
            yield Fault((*at, "default"), f"`default` must be {_TYPES[parameter.type][1]}")


def placement_faults(app: AppDefinition, placement: Placement, name: str) -> Iterator[Fault]:
    """Tell what is wrong with the parameters that a host gives an instance; places are in the host's file."""
    yield from _given_faults(app, placement.parameters, ("instances", name), name)


def test_faults(app: AppDefinition) -> Iterator[Fault]:
    """Tell what is wrong with the parameters that an app's own test gives; places are in the app's file."""
    test = app.document.get("test")
    given = test.get("parameters", {}) if isinstance(test, dict) else None
    if isinstance(given, dict):
        yield from _given_faults(app, given, ("test",), "the test")


def _given_faults(app: AppDefinition, given: Mapping[str, object], at: At, who: str) -> Iterator[Fault]:
    for parameter, definition in app.parameters.items():
        if parameter not in given and "default" not in definition.model_fields_set:
            yield Fault(
                at, f"{who} lacks the parameter `{parameter}` of {app.name}", definition.description, key=True
            )
    for parameter, value in given.items():
        if parameter not in app.parameters:
            hint = did_you_mean(parameter, app.parameters) or f"{app.name} has no parameters"
            yield Fault((*at, "parameters", parameter), f"unknown parameter `{parameter}`", hint, key=True)
        elif not _fits(app.parameters[parameter], value):
            must = _TYPES[app.parameters[parameter].type][1]
            yield Fault((*at, "parameters", parameter), f"`{parameter}` must be {must}")


def _fits(parameter: Parameter, value: object) -> bool:
    types, _ = _TYPES[parameter.type]
    return isinstance(value, types) and (parameter.type == "boolean" or not isinstance(value, bool))


def _filled(value: Any, values: Values, *, leave: bool = False) -> Any:  # noqa: ANN401 - any part of a document
    """Fill variables in; with `leave`, a text that cannot be filled in stays as it is."""
    if isinstance(value, str) and "$" in value:
        try:
            return fill(parse(value), values)
        except InterpolationError:
            if not leave:
                raise
    if isinstance(value, dict):
        return {key: _filled(inner, values, leave=leave) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values, leave=leave) for inner in value]
    return value
