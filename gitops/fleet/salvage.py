"""What is left of a definition when its faults are set aside, so that the rest is looked at too."""

from typing import Any, TypeVar

from pydantic import ValidationError

from gitops.fleet.document import At
from gitops.fleet.values import Model
from gitops.fleet.wording import Fault, faults

_Kind = TypeVar("_Kind", bound=Model)


def salvage(model: type[_Kind], content: dict[Any, Any], found: list[Fault]) -> _Kind | None:
    """Read a document without the parts that are wrong; None where what is left makes no sense either.

    A part that needs what was left out is left out as well: a job without its schedule is no job.

    Args:
        model: what the document should be.
        content: what it says.
        found: what is wrong with it.
    """
    cuts = {_cut(fault) for fault in found}
    while () not in cuts:
        rest = _without(content, cuts, ())
        try:
            return model.model_validate(rest)
        except ValidationError as error:
            more = {_cut(fault) for fault in faults(error, model, rest)}
            if more <= cuts:
                return None
            cuts |= more
    return None


def _cut(fault: Fault) -> At:
    """Give the part to leave out: a list as a whole, since the places of its items must not shift."""
    index = next((index for index, step in enumerate(fault.at) if isinstance(step, int)), len(fault.at))
    return fault.at[:index]


def _without(value: Any, cuts: set[At], at: At) -> Any:  # noqa: ANN401 - any part of a document
    if not isinstance(value, dict):
        return value
    return {key: _without(inner, cuts, (*at, key)) for key, inner in value.items() if (*at, key) not in cuts}
