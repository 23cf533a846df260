"""What every part of the engine's interface stands on: one connection, made when it is first needed."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from gitops.engine.connection import connect

if TYPE_CHECKING:
    from docker.api.client import APIClient


class Connected:
    """A connection to the engine of this machine; `with` closes it. Threads may share it."""

    @cached_property
    def _api(self) -> "APIClient":
        return connect()

    def __enter__(self) -> Self:
        """Give the engine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections, if there are any; the next question opens new ones."""
        if "_api" in vars(self):
            self._api.close()
            del self._api

    def _create(self, request: dict[str, Any], name: str | None = None) -> str:
        api: Any = self._api  # the SDK's stubs leave this one call untyped
        return str(api.create_container_from_config(request, name)["Id"])
