"""Keys that definitions may hold and nothing heeds yet. A name goes from here when something does."""

from collections.abc import Iterator

from pydantic import BaseModel

from gitops.fleet.apps import App
from gitops.fleet.document import At
from gitops.fleet.hosts import Host

_BACKUP = ("verify", "drill")
_REPOSITORY = ("password", "environment", "limits", "prune", "check")


def unheeded_of_app(app: App) -> Iterator[At]:
    """Give where an app says what nothing heeds yet."""
    if app.backup:
        yield from (("backup", key) for key in _said(app.backup, _BACKUP))


def unheeded_of_host(host: Host) -> Iterator[At]:
    """Give where a host says what nothing heeds yet."""
    if host.backup:
        yield from (("backup", key) for key in _said(host.backup, _REPOSITORY))


def _said(model: BaseModel, keys: tuple[str, ...]) -> Iterator[str]:
    """Give the keys that are written there, and not with what holds anyway."""
    fields = type(model).model_fields
    for key in keys:
        if key in model.model_fields_set and getattr(model, key) != fields[key].get_default(
            call_default_factory=True
        ):
            yield key
