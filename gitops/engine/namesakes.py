"""Networks that share a name: until Docker 25, an engine makes two when it is asked twice at the same time.

Whoever is killed while the engine makes a network is followed by somebody who asks for the same. From then on
the engine refuses whatever names that network: it is ambiguous.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from gitops.engine import labels

if TYPE_CHECKING:
    from docker.api.client import APIClient

_AMBIGUOUS = "is ambiguous"

Answer = TypeVar("Answer")


def unambiguously(api: "APIClient", networks: Iterable[str], ask: Callable[[], Answer]) -> Answer:
    """Ask the engine something; where it does not know which network is meant, leave one of each name.

    Args:
        api: the engine.
        networks: the names that are meant; looked at only then.
        ask: does it; it is called once more.
    """
    from docker.errors import APIError  # noqa: PLC0415  # it takes 80 ms

    try:
        return ask()
    except APIError as error:
        if _AMBIGUOUS not in str(error.explanation):
            raise
        for name in networks:
            leave_one(api, name)
        return ask()


def leave_one(api: "APIClient", name: str) -> None:
    """Remove all but one of the fleet's networks of a name: the one that is used stays, or the oldest."""
    found: list[dict[str, Any]] = [
        api.inspect_network(one["Id"]) for one in api.networks(names=[name]) if one["Name"] == name
    ]
    found.sort(key=lambda one: (not one["Containers"], one["Created"]))
    for one in found[1:]:
        if labels.FLEET in (one["Labels"] or {}) and not one["Containers"]:
            api.remove_network(one["Id"])
