"""What living containers may use, where the engine was told another thing than their labels say.

A label cannot change while its container lives, and a list of containers does not show limits. So what the
engine was told is kept in `STATE/limits.json`: container id to digests of its limits; `null` is written
before the engine is told, for nobody knows what holds when that is cut short, and telling it again does no
harm. Where the file is lost, the engine is asked once about each container.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock

from gitops.agent.desired import Desired
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.engine.specification import LIMITS, ContainerSpec, digests
from gitops.fleet.hosts import AT_ONCE
from gitops.system.files import write

_UNKNOWN = dict.fromkeys(LIMITS, "unknown")

Digests = dict[str, str] | None


class Limits:
    """What a host remembers of the limits of its containers.

    Args:
        state: the host's directory of that name; None: nothing is remembered.
    """

    def __init__(self, state: Path | None) -> None:
        """Read nothing yet."""
        self._path = state / "limits.json" if state else None
        self._lock = Lock()

    def as_they_are(self, containers: Sequence[Observed], desired: Desired, engine: Docker) -> list[Observed]:
        """Give containers with the digests of the limits that hold, not of those they were made with."""
        told = self._read()
        if told is None:
            wanted = {spec.name: spec for spec in desired.containers}
            pairs = [(one, wanted[one.name]) for one in containers if one.name in wanted]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                right = pool.map(lambda pair: engine.has_limits(pair[0].id, pair[1]), pairs)
                told = {
                    one.id: _of(digests(spec)) if is_ else None
                    for (one, spec), is_ in zip(pairs, right, strict=True)
                    if is_ != (_of(one.digests) == _of(digests(spec)))
                }
        return [_with(one, told[one.id]) if one.id in told else one for one in containers]

    def update(self, container: str, spec: ContainerSpec, engine: Docker) -> None:
        """Change the limits of a living container, by id; raises UserError when the engine refuses."""
        self._keep({container: None})
        engine.update_limits(container, spec)
        self._keep({container: _of(digests(spec))})

    def forget_all_but(self, containers: Iterable[Observed]) -> None:
        """Forget containers that are gone, and begin to remember where nothing is remembered yet."""
        if self._path:
            told = self._read() or {}
            here = {one.id for one in containers}
            write(self._path, json.dumps({one: kept for one, kept in told.items() if one in here}))

    def _keep(self, more: dict[str, Digests]) -> None:
        if self._path:
            with self._lock:
                write(self._path, json.dumps({**(self._read() or {}), **more}), durable=False)

    def _read(self) -> dict[str, Digests] | None:
        try:
            return dict(json.loads(self._path.read_text())) if self._path else {}
        except (OSError, ValueError, TypeError):
            return None


def _of(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in fields.items() if name in LIMITS}


def _with(one: Observed, limits: Digests) -> Observed:
    others = {name: digest for name, digest in one.digests.items() if name not in LIMITS}
    return replace(one, digests={**others, **(_UNKNOWN if limits is None else limits)})
