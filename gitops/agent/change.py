"""Carrying a plan out with all that belongs to it: the schedule, the secrets, and an honest account."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gitops.agent.garbage import collect_and_tell
from gitops.agent.recording import Recorded
from gitops.agent.space import lack_of_room, require_space
from gitops.deploy.action import Held, Result
from gitops.deploy.applied import Outcome
from gitops.deploy.apply import Work, apply, settle
from gitops.deploy.host import Wanted
from gitops.deploy.plan import Plan
from gitops.deploy.schedule import install_schedule
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec
from gitops.render.schedule import schedule_files
from gitops.report.turns import Step
from gitops.secrets.hiding import hidden, hide
from gitops.secrets.hosts import give, take_away
from gitops.secrets.kept import give_again, keep
from gitops.system.errors import Problem, UserError
from gitops.system.places import Places
from gitops.system.progress import Progress, silent

_NAMED = 3
_AGAIN = "an agent of before may not write there: gitops agent install"

Build = Callable[[Wanted, Sequence[str]], None]
"""Builds images of a fleet, by name."""


@dataclass(frozen=True)
class Change:
    """What making a host so takes, the same from its first step to its last; arguments as for `reconcile`."""

    wanted: Wanted
    commit: str
    engine: Docker
    places: Places
    build: Build
    tell: Callable[[str], None]
    progress: Progress = silent

    def schedule(self) -> list[Problem]:
        """Give the host's scheduler what it is to run; give what it does not take."""
        fleet, host = self.wanted.fleet, self.wanted.host
        try:
            if install_schedule(schedule_files(fleet, host), fleet.settings.name, self.places, self.tell):
                self.tell(f"schedule {host}: what {fleet.hosts[host].scheduler} is to run changed")
        except UserError as error:
            return list(error.problems)
        except OSError as error:
            message = f"the schedule cannot be written: {error.strerror}"
            return [Problem(str(error.filename), message=message, hint=_AGAIN)]
        return []

    def carry_out(self, steps: Plan, turn: Recorded) -> list[Problem]:
        """Carry a plan out; give all that is not as git has it then, without any secret.

        Args:
            steps: what is to be done.
            turn: is told how each step ended.
        """
        if steps:
            give_again(self._kept, self._secrets, self._identity, self.tell)
        # Also where there is nothing to do: what failed at another thing than git says now is forgotten.
        applied = apply(steps, self.wanted.desired, self._work())
        if steps:
            turn.steps = [_step(one) for one in applied.outcomes]
        ill = {one.instance for one in steps.held} | steps.waiting.keys()
        ill |= {one.action.instance for one in applied.outcomes if one.result is not Result.DONE}
        containers = self.containers()
        if steps:
            places = {Path(one.secrets_place) for one in self.wanted.desired.containers if one.secrets_place}
            own = {place.relative_to(self._secrets) for place in places}
            for directory in (self._secrets, self._kept):
                take_away(directory, own, spared=ill)
        problems = [*applied.problems, *left(steps.held, applied.outcomes), *self._unwell(containers, ill)]
        return [hidden(one, self._secrets) for one in problems]

    def containers(self) -> list[Observed]:
        """List the host's containers as they are now."""
        return self.engine.containers(self.wanted.fleet.settings.name, self.wanted.host)

    def _unwell(self, containers: Sequence[Observed], ill: set[str]) -> tuple[Problem, ...]:
        """Wait for the containers of all but the instances that are known to be ill."""
        others = [one for one in self.wanted.desired.containers if one.instance not in ill]
        try:
            settle(
                replace(self.wanted.desired, containers=tuple(others)),
                containers,
                self.containers,
                self.engine,
            )
        except UserError as error:
            return error.problems
        return ()

    def _work(self) -> Work:
        return Work(
            engine=self.engine,
            fleet=self.wanted.fleet.settings.name,
            host=self.wanted.host,
            generation=self.commit,
            build=self._build,
            secrets=self._give_secrets,
            tell=lambda line: self.tell(hide(line, self._secrets)),
            state=self.places.state,
            lack=lack_of_room,
            progress=self.progress,
            hide=lambda text: hide(text, self._secrets),
        )

    def _build(self, images: Sequence[str]) -> None:
        """Build images where there is room for them, or where there can be made some."""
        try:
            require_space(self.wanted, images, self.engine, self.places)
        except UserError:
            collect_and_tell(self.wanted, self.places, self.tell)
            require_space(self.wanted, images, self.engine, self.places)
        self.build(self.wanted, images)

    @property
    def _secrets(self) -> Path:
        return self.places.runtime / "secrets"

    @property
    def _kept(self) -> Path:
        return self.places.state / "secrets"

    @property
    def _identity(self) -> Path:
        return self.places.config / "age.key"

    def _give_secrets(self, spec: ContainerSpec) -> None:
        instance = self.wanted.fleet.instance(self.wanted.host, spec.instance)
        root, uses = self.wanted.fleet.root, instance.definition.services[spec.service].secrets
        own = Path(spec.secrets_place)
        keep(root, uses, self._kept / own.relative_to(self._secrets))
        give(root, uses, own, self._identity)


def left(held: Iterable[Held], outcomes: Iterable[Outcome]) -> list[Problem]:
    """Tell what was left as it was, and why: instances with the same reason in one line."""
    found: dict[tuple[Result, str], dict[str, None]] = {}
    for one in held:
        found.setdefault((one.result, one.reason), {})[one.instance] = None
    for outcome in outcomes:
        if outcome.result not in {Result.DONE, Result.FAILED} and outcome.reason:
            found.setdefault((outcome.result, outcome.reason), {})[outcome.action.instance] = None
    return [
        Problem(message=f"{result} {several(list(instances))}: {reason}")
        for (result, reason), instances in found.items()
    ]


def several(names: Sequence[str]) -> str:
    """Name the first few of many."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _step(outcome: Outcome) -> Step:
    action = outcome.action
    return Step(
        str(action.kind),
        action.subject,
        action.reason,
        str(outcome.result),
        outcome.began,
        outcome.ended,
        outcome.reason,
    )
