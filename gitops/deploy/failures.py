"""Which instances failed, at what they were to become: they are not tried again until git says another thing.

A file each, `STATE/failed/INSTANCE`. Losing one costs one more try, which fails as the first did.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gitops.deploy.action import Held, Result
from gitops.engine.specification import ContainerSpec, digests
from gitops.system.clock import now, stamp
from gitops.system.files import write


@dataclass(frozen=True)
class Failure:
    """What an instance failed at.

    Args:
        instance: which.
        together: the instances that failed with it, itself among them: those that exchange ports.
        identity: what these were to become; see `identity`.
        result: FAILED (and left so), ROLLED_BACK or ROLLBACK_FAILED.
        reason: why, one line for people.
        at: when, RFC 3339 in UTC.
        added: services that it did not have before.
        full: for want of room on the engine's disk: it is tried again when there is some.
        said: the last words of what failed, without any secret; what it was made of is gone.
    """

    instance: str
    together: tuple[str, ...]
    identity: str
    result: Result
    reason: str
    at: str
    added: tuple[str, ...] = ()
    full: bool = False
    said: str = ""

    def still_holds(self, wanted: Mapping[str, Iterable[ContainerSpec]]) -> bool:
        """Tell whether what is wanted of each instance is still what failed."""
        specs = [spec for name in self.together for spec in wanted.get(name, ())]
        return self.identity == identity(specs)

    def held(self) -> Held:
        """Say that it is not tried again."""
        until = "there is room" if self.full else "git changes"
        reason = f"{self.reason} ({self.at}); not tried again until {until}"
        return Held(self.instance, self.result, reason, self.said)


def identity(specs: Iterable[ContainerSpec]) -> str:
    """Give 16 hexadecimal digits for what containers are to be: all that they are made from."""
    parts = sorted((spec.subject, sorted(digests(spec).items())) for spec in specs)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


class Failures:
    """The failures that a host remembers.

    Args:
        state: the host's directory of that name; None: nothing is remembered.
    """

    def __init__(self, state: Path | None) -> None:
        """Read nothing yet."""
        self._directory = state / "failed" if state else None

    def read(self) -> dict[str, Failure]:
        """Give the failure of each instance that has one; what cannot be read counts as none."""
        found: dict[str, Failure] = {}
        for path in sorted(self._directory.glob("*")) if self._directory else ():
            try:
                told = json.loads(path.read_text())
                made = Failure(**{**told, "result": Result(told["result"]), "added": tuple(told["added"])})
                found[path.name] = replace(made, instance=path.name, together=tuple(made.together))
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return found

    def mark(
        self,
        instances: Mapping[str, Iterable[ContainerSpec]],
        result: Result,
        reason: str,
        added: Iterable[tuple[str, str]] = (),
        *,
        full: bool = False,
        said: str = "",
    ) -> bool:
        """Remember that instances failed together.

        Args:
            instances: what each was to become.
            result: what became of them.
            reason: why, one line for people.
            added: (instance, service) of each service that was not there before.
            full: whether it failed for want of room on the engine's disk.
            said: the last words of what failed, without any secret.

        Returns:
            False when it cannot be remembered (a full disk), which must not keep anyone from going back.
        """
        what = identity(spec for specs in instances.values() for spec in specs)
        new = list(added)
        failures = [
            Failure(
                name,
                tuple(instances),
                what,
                result,
                reason,
                stamp(now()),
                tuple(service for instance, service in new if instance == name),
                full,
                said,
            )
            for name in instances
        ]
        written = [self._write(failure) for failure in failures]
        return all(written)

    def turned_out(self, instance: str, result: Result) -> None:
        """Remember how going back turned out, where a failure is remembered."""
        if failure := self.read().get(instance):
            self._write(replace(failure, result=result))

    def _write(self, failure: Failure) -> bool:
        if self._directory:
            try:
                write(self._directory / failure.instance, json.dumps(asdict(failure)))
            except OSError:
                return False
        return True

    def clear(self, instance: str) -> None:
        """Forget an instance's failure, if it has one."""
        if self._directory:
            (self._directory / instance).unlink(missing_ok=True)
