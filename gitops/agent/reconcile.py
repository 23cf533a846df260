"""One turn of the agent: from a commit to a host that is so."""

from collections.abc import Callable

from gitops.agent.change import Build, Change, left
from gitops.agent.garbage import collect_and_tell
from gitops.agent.generation import check_out, make_current, running
from gitops.agent.recording import recorded
from gitops.agent.report import prepare
from gitops.agent.restores import finish_restores
from gitops.agent.rollback import end, instead_of
from gitops.agent.space import let_try_again
from gitops.agent.unchanged import Settled, remember
from gitops.deploy.host import look, package_changes, want
from gitops.deploy.plan import Plan, plan
from gitops.engine.docker import Docker
from gitops.engine.held import engine_lock, free
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.system.progress import Progress, silent

__all__ = ["Build", "reconcile"]


def reconcile(  # noqa: PLR0913  # every one is a thing of its own
    git: Repository,
    commit: str,
    host: str | None,
    engine: Docker,
    places: Places,
    *,
    build: Build,
    tell: Callable[[str], None],
    allow_empty: bool = False,
    progress: Progress = silent,
) -> Plan:
    """Make a host what a commit says; give what was done.

    A commit that does not load, or would leave the host empty, never becomes its generation. One that the
    host was rolled back from stays left.

    Args:
        git: the fleet's directory in its repository; asked for the commit's files and for older locks.
        commit: git's newest.
        host: the host's name; None: see `want`.
        engine: the host's engine.
        places: the host's directories.
        build: builds the images that are missing.
        tell: says what is being done, a line at a time.
        allow_empty: go on when the fleet places nothing on the host although something runs there.
        progress: is told how many instances are done.

    Raises:
        UserError: another apply is under way; or something failed, and what.
    """
    finish_restores(engine, places, tell)
    with exclusive(engine_lock(places), "this host's engine"):
        free(engine, places, tell)
        before = running(places)
        generation = check_out(git, instead_of(commit, places), places)
        wanted = want(generation.path, host, places)
        let_try_again(places)
        seen = look(engine, wanted, places)
        if seen.containers and not wanted.desired.containers and not allow_empty:
            raise UserError(
                f"the fleet places nothing on {wanted.host}, where {len(seen.containers)} containers run",
                hint="if that is meant: gitops apply --allow-empty",
            )
        steps = plan(wanted.desired, seen, package_changes(wanted, git, places))
        for instance, why in steps.waiting.items():
            tell(f"{instance} is left alone while it stands still for a {why}")
        kind = "apply" if generation.commit == commit else "rollback"
        change = Change(wanted, generation.commit, engine, places, build, tell, progress)
        with recorded(places, kind, generation.commit, before, steps) as turn:
            make_current(generation, wanted.host, places)
            end(places, at=commit)
            problems = [*change.schedule(), *change.carry_out(steps, turn)]
            prepare(wanted, generation.commit, engine, places)
            held = [problem.message for problem in left(steps.held, ())]
            if not steps and not steps.waiting and len(problems) == len(held):
                settled = Settled(wanted.host, tuple(problem.message for problem in problems))
                fleet, now = wanted.fleet.settings.name, change.containers()
                remember(generation.commit, host, fleet, settled, now, places)
            if problems:
                raise UserError.of(problems)
        if steps or before != generation.commit:
            collect_and_tell(wanted, places, tell)
        tell(f"{wanted.host}: {'done, and everything works' if steps else 'nothing to do'}")
        return steps
