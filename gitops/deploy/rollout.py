"""Changing what belongs together, mostly one instance: what ran stands aside until the new is proved.

The states that a kill can leave, and what leads on from each, are the table of docs/rollouts.md.
"""

from dataclasses import dataclass, field
from datetime import datetime

from gitops.deploy.action import Action, Kind, Result
from gitops.deploy.applied import Outcome
from gitops.deploy.aside import let_go, put_back, ran, stand_aside
from gitops.deploy.batches import Unit
from gitops.deploy.waiting import PATIENCE, patience, wait_for
from gitops.deploy.work import Stage
from gitops.engine.connection import AwayError, FullError
from gitops.engine.containers import LostError
from gitops.engine.observed import Observed
from gitops.engine.specification import ContainerSpec, digests
from gitops.system.clock import now
from gitops.system.errors import Problem, UserError

_WORDS = 2000
"""Characters that are kept of what a container said before it failed."""

_STAYS_DONE = {Kind.UPDATE, Kind.START}
"""What is right whatever becomes of the rest."""


@dataclass
class Rollout:
    """One unit's change, while it lasts."""

    unit: Unit
    stage: Stage
    problems: tuple[Problem, ...] = ()
    _began: dict[int, datetime] = field(default_factory=dict)
    _aside: dict[int, Observed] = field(default_factory=dict)
    _stopped: set[int] = field(default_factory=set)
    _made: dict[int, str] = field(default_factory=dict)
    _full: bool = False
    _said: str = ""

    def run(self) -> list[Outcome]:
        """Do it all, or undo it; give what became of each action. What went wrong is in `problems`."""
        at = 0
        try:
            self._make_way()
            for number, action in enumerate(self.unit.actions):
                at = number
                self.stage.pause(0)
                self._do(number, action)
            for number, action in enumerate(self.unit.actions if self.unit.rolls else ()):
                at = number
                self._prove(action)
        except AwayError as error:
            # Nothing is remembered of an engine that died, as of a kill: the next apply carries on from here.
            self.problems = error.problems
            return self._outcomes(Result.FAILED, error.problems[0].message, at)
        except UserError as error:
            self.problems, self._full = error.problems, isinstance(error, FullError)
            self._said = self.stage.work.hide(error.problems[0].hint.replace("\n  ", "\n"))[-_WORDS:]
            return self._failed(at, error.problems[0].message)
        try:
            self._conclude()
        except UserError as error:
            self.problems = error.problems
            return self._outcomes(Result.FAILED, f"it works, but: {error.problems[0].message}")
        return self._outcomes(Result.DONE)

    def _make_way(self) -> None:
        """Let go of what has no successor, and of ports that are about to move to another container."""
        for number, action in enumerate(self.unit.actions):
            before = [one for one in (action.observed, action.before) if one]
            ports = digests(action.spec).get("ports") if isinstance(action.spec, ContainerSpec) else None
            moves = any(one.digests.get("ports") != ports for one in before)
            if action.kind is Kind.REMOVE or (action.kind is Kind.RECREATE and moves):
                self._begin(number, action)
                self._stand_aside(number, action, stopped=True)

    def _begin(self, number: int, action: Action) -> None:
        if number not in self._began:
            self._began[number] = now()
            self.stage.work.tell(str(action))

    def _do(self, number: int, action: Action) -> None:
        work, engine, spec, is_ = self.stage.work, self.stage.work.engine, action.spec, action.observed
        if action.kind in {Kind.PUT_BACK, Kind.ROLL_BACK} and action.before:
            self._begin(number, action)
            self._put_back(action)
        if not isinstance(spec, ContainerSpec) or action.kind in {Kind.PUT_BACK, Kind.ROLL_BACK}:
            return
        for on in spec.depends_on:
            (container,) = (one.name for one in self.stage.specs[spec.instance] if one.service == on.service)
            wait_for(spec, on, container, engine, self.stage.pause)
        self._begin(number, action)
        if action.kind is Kind.UPDATE and is_:
            self.stage.limits.update(is_, spec, engine)
            return
        if spec.secrets:
            work.secrets(spec)
        if action.kind in {Kind.RECREATE, Kind.FINISH}:
            self._stand_aside(number, action, stopped=not _beside(spec, self.unit))
        if action.kind is Kind.RESTART and is_:
            engine.stop(is_.id)
        with self.stage.turn:
            if action.kind in {Kind.CREATE, Kind.RECREATE}:
                self._made[number] = engine.create(spec, work.fleet, work.host, work.generation)
            try:
                engine.start(spec.name)
            except LostError:
                engine.remove(spec.name)
                again = engine.create(spec, work.fleet, work.host, work.generation)
                self._made.update({number: again} if number in self._made else {})
                engine.start(spec.name)

    def _stand_aside(self, number: int, action: Action, *, stopped: bool) -> None:
        """Keep what a service had: what stands aside already, rather than what never proved itself."""
        engine, is_, before = self.stage.work.engine, action.observed, action.before
        if before and is_:
            if action.kind is Kind.FINISH:
                self._made[number] = is_.id
            elif number not in self._aside:
                engine.remove(is_.id)
        kept = self._aside.get(number) or before or is_
        if kept:
            self._aside[number] = kept
            stand_aside(engine, kept, stopped=stopped)
            self._aside[number] = kept.standing_aside()
            self._stopped |= {number} if stopped else set()

    def _prove(self, action: Action) -> None:
        """See that a container works; raises UserError when it does not."""
        if action.kind is Kind.ROLL_BACK and action.before:
            self._prove_kept(action.before)
        elif isinstance(action.spec, ContainerSpec) and action.kind is not Kind.UPDATE:
            self._prove_one(action.spec.name, action.subject, patience(action.spec))

    def _prove_kept(self, one: Observed) -> None:
        if ran(one):
            self._prove_one(one.id, f"{one.subject}, as it was before,", PATIENCE)

    def _prove_one(self, container: str, subject: str, seconds: float) -> None:
        wait = self.unit.placed.rollout.wait
        verdict = self.stage.work.engine.prove(container, wait, seconds, self.stage.pause)
        if not verdict.well:
            raise UserError(f"{subject} is {verdict.state}", hint=verdict.said.replace("\n", "\n  "))

    def _conclude(self) -> None:
        for number in self._aside.keys() - self._stopped:
            self.stage.work.engine.stop(self._aside[number].id)
        for instance in self.unit.instances:
            if kept := [one for one in self._aside.values() if one.instance == instance]:
                let_go(self.stage.work.engine, kept)
            if self._goes_back:
                self.stage.failures.turned_out(instance, Result.ROLLED_BACK)
            elif self.unit.rolls:
                self.stage.failures.clear(instance)

    @property
    def _goes_back(self) -> bool:
        return any(action.kind is Kind.ROLL_BACK for action in self.unit.actions)

    def _failed(self, at: int, reason: str) -> list[Outcome]:
        """Decide what a failure means: there is no way back, a pause, or the way back."""
        if self._goes_back:
            for instance in self.unit.instances:
                self.stage.failures.turned_out(instance, Result.ROLLBACK_FAILED)
            return self._outcomes(Result.ROLLBACK_FAILED, reason, at)
        if not self._aside and not any(action.before for action in self._keeping()):
            return self._outcomes(Result.FAILED, reason, at)
        # First remembered, then done: after a kill in between, the next apply goes back as well.
        self._remember(Result.FAILED, reason)
        if self.unit.placed.rollout.on_failure == "pause":
            return self._outcomes(Result.FAILED, reason, at)
        self.stage.work.tell(f"roll back {' and '.join(self.unit.instances)}: {reason}")
        try:
            self._go_back()
        except UserError as error:
            self.problems = (*self.problems, *error.problems)
            why = f"{reason}; going back failed, too: {error.problems[0].message}"
            self._remember(Result.ROLLBACK_FAILED, why)
            return self._outcomes(Result.ROLLBACK_FAILED, why)
        self._remember(Result.ROLLED_BACK, reason)
        return self._outcomes(Result.ROLLED_BACK, reason)

    def _keeping(self) -> list[Action]:
        return [action for action in self.unit.actions if action.kind is not Kind.PUT_BACK]

    def _remember(self, result: Result, reason: str) -> None:
        specs = {instance: self.stage.specs[instance] for instance in self.unit.instances}
        added = [
            (one.spec.instance, one.spec.service)
            for one in self.unit.actions
            if one.kind is Kind.CREATE and isinstance(one.spec, ContainerSpec)
        ]
        if not self.stage.failures.mark(specs, result, reason, added, full=self._full, said=self._said):
            names = " and ".join(self.unit.instances)
            self.stage.work.tell(f"{names}: the failure cannot be remembered, so the next apply tries again")

    def _go_back(self) -> None:
        """Remove what is new, put back what stood aside, and see that it works; raises UserError."""
        engine = self.stage.work.engine
        for number in sorted(self._made, reverse=True):
            engine.remove(self._made[number])
        kept = []
        for number, action in enumerate(self.unit.actions):
            if number in self._aside:
                kept.append(self._aside[number])
                put_back(engine, self._aside[number])
            elif action.before and number not in self._began:
                kept.append(action.before)
                self._put_back(action)
        for number, action in enumerate(self.unit.actions):
            if action.kind is Kind.RESTART and number in self._began and action.observed:
                engine.stop(action.observed.id)
                engine.start(action.observed.id)
        for one in kept:
            self._prove_kept(one)

    def _put_back(self, action: Action) -> None:
        engine = self.stage.work.engine
        if action.observed:
            engine.remove(action.observed.id)
        if action.before:
            put_back(engine, action.before)

    def _outcomes(self, result: Result, reason: str = "", at: int | None = None) -> list[Outcome]:
        """Give each action's outcome: the same for all that were begun; with `at`, for that one alone."""
        ended, found = now(), []
        for number, action in enumerate(self.unit.actions):
            began = self._began.get(number)
            if number == at:
                found.append(Outcome(action, result, began or ended, ended, reason))
            elif began is None:
                found.append(Outcome(action, Result.NOT_TOUCHED, reason=reason))
            elif at is not None or action.kind in _STAYS_DONE:
                found.append(Outcome(action, Result.DONE, began, ended))
            else:
                found.append(Outcome(action, result, began, ended, reason))
        return found


def _beside(spec: ContainerSpec, unit: Unit) -> bool:
    """Tell whether two of a container may run at once: not on one port, nor writing to the same files."""
    writes = any(mount.type != "tmpfs" and not mount.read_only for mount in spec.volumes)
    holds = any(port.published is not None for port in spec.ports)
    return unit.placed.rollout.order == "start-first" and not writes and not holds
