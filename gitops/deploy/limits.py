"""What living containers may use, where the engine was told another thing than their labels say.

A label cannot change while its container lives, and a list of containers does not show limits. So what the
engine was told is kept in `STATE/limits.json`: container id to digests of its limits. Before the engine is
told, those that change are `unknown`: nobody knows what holds when that is cut short, and telling it again
does no harm. Where the file is lost, the engine is asked once about each container.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from gitops.engine.observed import Observed
from gitops.engine.specification import LIMITS, ContainerSpec, digests
from gitops.system.files import write

if TYPE_CHECKING:
    from gitops.deploy.desired import Desired
    from gitops.engine.docker import Docker

_UNKNOWN = "unknown"


class Limits:
    """What a host remembers of the limits of its containers.

    Args:
        state: the host's directory of that name; None: nothing is remembered.
    """

    def __init__(self, state: Path | None) -> None:
        """Read nothing yet."""
        self._path = state / "limits.json" if state else None
        self._lock = Lock()

    def remembered(self, containers: Sequence[Observed]) -> list[Observed] | None:
        """Do as `as_they_are` without asking the engine; None where nothing is remembered."""
        told = self._read()
        return None if told is None else _all_with(containers, told)

    def as_they_are(
        self, containers: Sequence[Observed], desired: "Desired", engine: "Docker"
    ) -> list[Observed]:
        """Give containers with the digests of the limits that hold, not of those they were made with."""
        told = self._read()
        if told is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # it is asked once

            from gitops.fleet.hosts import AT_ONCE  # noqa: PLC0415  # `status` does without the models

            wanted = {spec.name: spec for spec in desired.containers}
            pairs = [(one, wanted[one.name]) for one in containers if one.name in wanted]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                off = pool.map(lambda pair: engine.other_limits(pair[0].id, pair[1]), pairs)
                told = {
                    one.id: {**_of(digests(spec)), **dict.fromkeys(names, _UNKNOWN)}
                    for (one, spec), names in zip(pairs, off, strict=True)
                }
        return _all_with(containers, told)

    def update(self, one: Observed, spec: ContainerSpec, engine: "Docker") -> None:
        """Change the limits of a living container; raises UserError when the engine refuses."""
        old, new = _of(one.digests), _of(digests(spec))
        changing = {name: _UNKNOWN for name in LIMITS if old.get(name) != new.get(name)}
        self._keep(one.id, {**old, **changing})
        engine.update_limits(one.id, spec)
        self._keep(one.id, new)

    def tidy(self, containers: Callable[[], Iterable[Observed]]) -> None:
        """Forget containers that are gone, and begin to remember where nothing is remembered yet.

        Args:
            containers: lists those that are there; asked only where something is remembered.
        """
        told = self._read()
        if self._path and (told or told is None):
            here = {one.id for one in containers()}
            write(self._path, json.dumps({one: kept for one, kept in (told or {}).items() if one in here}))

    def _keep(self, container: str, limits: dict[str, str]) -> None:
        if self._path:
            with self._lock:
                told = {**(self._read() or {}), container: limits}
                write(self._path, json.dumps(told), durable=False)

    def _read(self) -> dict[str, dict[str, str]] | None:
        try:
            return dict(json.loads(self._path.read_text())) if self._path else {}
        except (OSError, ValueError, TypeError):
            return None


def _of(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in fields.items() if name in LIMITS}


def _all_with(containers: Iterable[Observed], told: Mapping[str, dict[str, str]]) -> list[Observed]:
    return [_with(one, told[one.id]) if one.id in told else one for one in containers]


def _with(one: Observed, limits: dict[str, str]) -> Observed:
    others = {name: digest for name, digest in one.digests.items() if name not in LIMITS}
    return replace(one, digests={**others, **limits})
