"""What is left of a definition when its faults are set aside, so that the rest is looked at too."""

from typing import Any, TypeVar

from pydantic import ValidationError

from gitops.fleet.document import At
from gitops.fleet.values import Model
from gitops.fleet.wording import Fault

_Kind = TypeVar("_Kind", bound=Model)


def salvage(model: type[_Kind], content: dict[Any, Any], found: list[Fault]) -> _Kind | None:
    """Read a document without the parts that are wrong; None where what is left makes no sense either.

    Args:
        model: what the document should be.
        content: what it says.
        found: what is wrong with it.
    """
    try:
        return model.model_validate(_without(content, {_cut(fault.at) for fault in found}, ()))
    except ValidationError:
        return None


def _cut(at: At) -> At:
    """Give the part to leave out: a list as a whole, since the places of its items must not shift."""
    index = next((index for index, step in enumerate(at) if isinstance(step, int)), len(at))
    return at[:index]


def _without(value: object, cuts: set[At], at: At) -> object:
    if not isinstance(value, dict):
        return value
    return {key: _without(inner, cuts, (*at, key)) for key, inner in value.items() if (*at, key) not in cuts}
