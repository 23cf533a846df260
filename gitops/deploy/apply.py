"""Carrying a plan out: the only code that changes what runs on a host.

Every step leaves the host in a state that the next plan understands, so a kill at any point loses nothing but
time: what is missing is made, what was made but not started is started, what stands aside is put back or let
go, and no step removes a volume.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from gitops.deploy.action import Action, Kind, Result
from gitops.deploy.applied import Applied, Outcome
from gitops.deploy.batches import Unit, batches, units
from gitops.deploy.desired import Desired, Placed
from gitops.deploy.failures import Failures
from gitops.deploy.limits import Limits
from gitops.deploy.plan import Plan, stopped
from gitops.deploy.rollout import Rollout
from gitops.deploy.steps import standstill
from gitops.deploy.waiting import settle
from gitops.deploy.work import Stage, Work
from gitops.engine.specification import NetworkSpec, VolumeSpec
from gitops.fleet.hosts import AT_ONCE
from gitops.system.clock import now
from gitops.system.errors import Problem, UserError
from gitops.system.progress import Amount

__all__ = ["Applied", "Work", "apply", "settle"]

_SIDE_BY_SIDE = 64
"""How many instances of a batch are waited for at once; the engine makes and starts AT_ONCE of them."""

_FURNISH = {Kind.NETWORK, Kind.VOLUME}
_UNREADY = "what it needs could not be made"


class _InterruptedError(Exception):
    """The user has pressed Ctrl-C; threads end at their next pause."""


def apply(plan: Plan, desired: Desired, work: Work) -> Applied:
    """Make the host so; tell of each action what became of it.

    One instance's failure does not keep the others from their due, save those that the roll-out of the same
    app had still before it. What fails is told in what is returned, not raised.
    """
    turn = _Turn(plan, desired, work)
    turn.forget()
    if turn.build():
        turn.arrange()
        turn.roll_out()
        turn.clean_up()
    else:
        turn.keep_up()
    return turn.applied()


class _Turn:
    """One plan being carried out."""

    def __init__(self, plan: Plan, desired: Desired, work: Work) -> None:
        self._plan, self._work = plan, work
        self._outcomes: dict[int, Outcome] = {}
        self._problems: list[Problem] = []
        self._unready: set[str] = set()
        self._furniture: dict[str, list[Action]] = {}
        for action in plan.actions:
            if action.kind in _FURNISH:
                self._furniture.setdefault(action.instance, []).append(action)
        self._stopping = threading.Event()
        self._specs = desired.instances()
        self._units = units(plan.actions, desired)
        self._instances = Counter(desired.placed.get(name, Placed()) for name in self._specs)
        self._failed = {
            (desired.placed.get(one.instance, Placed()), one.instance)
            for one in plan.held
            if one.result is not Result.NOT_TOUCHED
        }
        turns = threading.BoundedSemaphore(AT_ONCE)
        self._failures = Failures(work.state)
        self._changed: set[str] = set()
        self._stage = Stage(work, self._specs, turns, self._pause, self._failures, Limits(work.state))

    def applied(self) -> Applied:
        """Give what became of everything; what nobody came to is not touched."""
        outcomes = (
            self._outcomes.get(id(action), Outcome(action, Result.NOT_TOUCHED))
            for action in self._plan.actions
        )
        return Applied(tuple(outcomes), tuple(self._problems))

    def forget(self) -> None:
        """Forget what failed at another thing than git says now."""
        for instance, failure in self._failures.read().items():
            if instance not in self._specs or not failure.still_holds(self._specs):
                self._failures.clear(instance)

    def build(self) -> bool:
        """Build what is missing; without it nothing else is changed."""
        images = [action for action in self._plan.actions if action.kind is Kind.BUILD]
        began = now()
        try:
            if images:
                self._work.build([action.subject for action in images])
        except UserError as error:
            self._problems += error.problems
            self._note(images, Result.FAILED, began, error.problems[0].message)
            return False
        self._note(images, Result.DONE, began)
        return True

    def arrange(self) -> None:
        """Remove what is gone, and make networks and volumes of instances that do not change otherwise."""
        change = {name for unit in self._units for name in unit.instances}
        early = [
            action
            for action in self._plan.actions
            if action.kind is Kind.TIDY
            or (action.kind in _FURNISH and action.instance not in change)
            or (action.kind in {Kind.REMOVE, Kind.REMOVE_NETWORK} and action.instance not in self._specs)
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            gone = [action.observed.id for action in early if action.observed]
            list(pool.map(self._stop, gone))
        for action in early:
            if not self._arrange(action):
                self._unready.add(action.instance)

    def clean_up(self) -> None:
        """Remove networks that containers have left, and forget the limits of what is gone."""
        done = {action.instance: True for action in self._plan.actions}
        for unit in self._units:
            for action in unit.actions:
                done[action.instance] &= self._outcomes[id(action)].result is Result.DONE
        for action in self._plan.actions:
            if (
                action.kind is Kind.REMOVE_NETWORK
                and action.instance in self._specs
                and done[action.instance]
            ):
                self._arrange(action)
        self._stage.limits.tidy(lambda: self._work.engine.containers(self._work.fleet, self._work.host))

    def roll_out(self) -> None:
        """Change containers: what takes nothing away all at once, the rest of each app batch by batch."""
        waiting: dict[Placed, list[Unit]] = {}
        simple = []
        lack = self._lack()
        for unit in self._units:
            if self._unready & set(unit.instances):
                self._note(unit.actions, Result.NOT_TOUCHED, None, _UNREADY)
            elif lack and not unit.under_way and any(one.kind is Kind.RECREATE for one in unit.actions):
                self._keep_up(unit)
                self._note(unit.actions, Result.NOT_TOUCHED, None, lack)
            elif unit.rolls:
                waiting.setdefault(unit.placed, []).append(unit)
            else:
                simple.append(unit)
        lanes: list[Callable[[], object]] = [partial(self._side_by_side, simple, AT_ONCE)]
        lanes += [partial(self._batches, placed, group) for placed, group in waiting.items()]
        with ThreadPoolExecutor(len(lanes)) as pool:
            try:
                for done in [pool.submit(lane) for lane in lanes]:
                    done.result()
            except BaseException:
                self._stopping.set()
                raise
            finally:
                self._work.progress(self._work.host, "")

    def _lack(self) -> str:
        """Say why what runs cannot be replaced; empty where it can, or where nothing is to be."""
        replaces = any(action.kind is Kind.RECREATE for action in self._plan.actions)
        return self._work.lack() if replaces else ""

    def _batches(self, placed: Placed, group: list[Unit]) -> None:
        failed = [instance for where, instance in self._failed if where == placed]
        for batch in batches(group, self._instances[placed]):
            if len(failed) > placed.rollout.max_failures and not batch[0].under_way:
                for unit in batch:
                    self._keep_up(unit)
                    self._note(unit.actions, Result.NOT_TOUCHED, None, stopped(placed.app, sorted(failed)))
            else:
                failed += self._side_by_side(batch, _SIDE_BY_SIDE)

    def keep_up(self) -> None:
        """Start what stands still where nothing is changed now, for want of an image."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._keep_up, self._units))

    def _keep_up(self, unit: Unit) -> None:
        """Start what stands still in a unit that is left as it is, as the next plan would."""
        for action in unit.actions:
            if action.observed and not action.before and standstill(action.observed.restart, action.observed):
                with contextlib.suppress(UserError):  # the next plan tells
                    self._work.engine.start(action.observed.id)

    def _side_by_side(self, batch: list[Unit], width: int) -> list[str]:
        """Change units at once; give the instances that failed."""
        if not batch:
            return []
        with ThreadPoolExecutor(min(width, len(batch))) as pool:
            return [name for failed in pool.map(self._change, batch) for name in failed]

    def _furnish(self, unit: Unit) -> bool:
        """Make the networks and volumes of a unit; tell whether that went well."""
        return all(
            self._arrange(action)
            for instance in unit.instances
            for action in self._furniture.get(instance, ())
        )

    def _change(self, unit: Unit) -> tuple[str, ...]:
        if not self._furnish(unit):
            self._note(unit.actions, Result.NOT_TOUCHED, None, _UNREADY)
            return ()
        self._tell_progress()
        rollout = Rollout(unit, self._stage)
        for outcome in rollout.run():
            self._outcomes[id(outcome.action)] = outcome
        self._problems += rollout.problems
        self._changed |= set(unit.instances)
        self._tell_progress()
        return unit.instances if rollout.problems else ()

    def _tell_progress(self) -> None:
        total = {name for unit in self._units for name in unit.instances}
        amount = Amount(len(self._changed), len(total), "instances")
        done = len(self._changed) == len(total)
        self._work.progress(self._work.host, "" if done else "rolling out", amount)

    def _arrange(self, action: Action) -> bool:
        """Do what is not about starting a container; tell whether it went well."""
        engine, work, began = self._work.engine, self._work, now()
        work.tell(str(action))
        try:
            if action.kind is Kind.REMOVE_NETWORK:
                engine.remove_network(action.subject)
            elif isinstance(action.spec, NetworkSpec):
                engine.ensure_network(action.spec, work.fleet, work.host)
            elif isinstance(action.spec, VolumeSpec):
                engine.ensure_volume(action.spec, work.fleet, work.host)
            elif action.observed:
                engine.remove(action.observed.id)
        except UserError as error:
            self._problems += error.problems
            self._note([action], Result.FAILED, began, error.problems[0].message)
            return False
        self._note([action], Result.DONE, began)
        return True

    def _stop(self, container: str) -> None:
        with contextlib.suppress(UserError):  # removing it will tell
            self._work.engine.stop(container)

    def _note(
        self, actions: Iterable[Action], result: Result, began: datetime | None, reason: str = ""
    ) -> None:
        ended = None if began is None else now()
        for action in actions:
            self._outcomes[id(action)] = Outcome(action, result, began, ended, reason)

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise _InterruptedError
