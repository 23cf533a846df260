"""One tick of the agent: take in what is new, as far as it is good, then make the host what it says."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitops.agent.fetch import Admit, MovedError, Standing, advance, intake
from gitops.agent.generation import running
from gitops.agent.outgoing import unsent
from gitops.agent.pause import paused
from gitops.agent.refused import RefusedError
from gitops.agent.ticked import Tick, over
from gitops.agent.unchanged import Settled, still_so
from gitops.agent.verify import follow, verify
from gitops.deploy.swept import abandoned, sweep
from gitops.git.isolation import isolated
from gitops.jobs.left import end_left
from gitops.jobs.running import any_left
from gitops.report.turns import Outcome, Turn, note
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.run import run

if TYPE_CHECKING:
    from gitops.agent.reconcile import Build
    from gitops.agent.settings import Settings
    from gitops.engine.docker import Docker
    from gitops.git.intake import Intake
    from gitops.system.places import Places


def tick(
    settings: "Settings",
    places: "Places",
    engine: "Docker",
    *,
    build: "Build",
    tell: Callable[[str], None],
    allow_empty: bool = False,
) -> Tick:
    """Tick once; only one at a time does on a host.

    Args:
        settings: the agent's.
        places: the host's directories.
        engine: the host's engine.
        build: builds the images that are missing.
        tell: says what is being done, a line at a time.
        allow_empty: go on when the fleet places nothing on the host although something runs there.

    Raises:
        UserError: another tick is under way; or the host could not be made so, and why. What stands in the
            way of a newer commit is no error, but in the tick's notes.
    """
    if until := paused(places):
        return over(Tick("", (), "paused", until), places)
    with _alone(places):
        try:
            sweep(engine, places, tell)
            end_left(places, tell)
        except UserError as error:  # what a drill or a job has left is no reason to leave the host as it is
            tell(str(error))
        standing = advance(settings, places, _judge(settings, places))
        _record(standing, places)
        for note in (*standing.notes, *filter(None, [standing.news])):
            tell(note)
        if standing.commit is None:
            raise _failed(standing, "there is no commit yet that this host may run", places)
        if settled := still_so(standing.commit, settings.host, engine, places):
            _report(settings, places, tell)
            rested = over(_settled(standing, settled), places)
            if settled.error:
                raise settled.error
            return rested
        from gitops.agent.reconcile import reconcile  # noqa: PLC0415  # what there is to do is mostly nothing

        try:
            done = reconcile(
                intake(settings, places),
                standing.commit,
                settings.host,
                engine,
                places,
                build=build,
                tell=tell,
                allow_empty=allow_empty,
            )
        except UserError as error:
            over(_tick(standing, "failed", str(error)), places)
            raise
        finally:
            _report(settings, places, tell)
        return over(_tick(standing, "applied" if done else "nothing to do"), places)


def rest(settings: "Settings", places: "Places", engine: "Docker") -> Tick | None:
    """Tick where there is nothing to do, with one question to git and one to the engine.

    Returns:
        None where there may be something to do, which `tick` does.

    Raises:
        UserError: another tick is under way.
    """
    if until := paused(places):
        return over(Tick("", (), "paused", until), places)
    with _alone(places):
        if abandoned(places) or any_left(places) or unsent(places):
            return None
        try:
            standing = advance(settings, places, None)
        except MovedError:
            return None
        settled = still_so(standing.commit, settings.host, engine, places)
        if standing.commit and settled:
            _record(standing, places)
            return over(_settled(standing, settled), places)
    return None


def accept(commit: str, settings: "Settings", places: "Places") -> str:
    """Begin anew from a commit that does not stand on the one of before; say how it was found good.

    Raises:
        UserError: it is not named in full, or has not been fetched.
        RefusedError: it is not signed by whom the host trusts, or fails the check.
    """
    if not re.fullmatch("[0-9a-f]{40,64}", commit):
        raise UserError(f"{commit!r} is not the whole name of a commit", hint="git rev-parse says it")
    with _alone(places):
        own = intake(settings, places)
        own.prepare()
        news = _judge(settings, places)(own, own.commit(commit), None)
        own.accept(commit)
        return news


@contextmanager
def _alone(places: "Places") -> Iterator[None]:
    """Be the only one that ticks; a look of the daemon, which is over in a moment, is waited for."""
    with exclusive(places.runtime / "tick.lock", "the agent of this host", wait=2), isolated():
        yield


def _judge(settings: "Settings", places: "Places") -> Admit:
    """Give what finds commits good: signed, standing on the one before, and whole."""

    def admit(own: "Intake", commit: str, before: str | None) -> str:
        from gitops.agent.check import check  # noqa: PLC0415  # it brings in all that reads and renders
        from gitops.agent.generation import check_out  # noqa: PLC0415  # see above

        signed = verify(own, commit, settings.trust, places)
        follow(own, commit, before)
        path = places.state / "generations" / commit
        if (places.state / "current").resolve() != path.resolve():
            shutil.rmtree(path, ignore_errors=True)  # what a power cut has left half written
        if own.git("cat-file", "-e", f"{commit}:{own.prefix}", check=False).status:
            raise RefusedError(commit, f"has no directory {settings.path}")
        generation = check_out(own, commit, places)
        run(["sync", "--file-system", generation.path])
        try:
            check(generation.path, settings.host)
        except UserError as error:
            shutil.rmtree(generation.path, ignore_errors=True)
            raise RefusedError(commit, f"fails check: {own.wording(commit)}", str(error)) from error
        return f"accepted commit {commit[:12]}: {own.wording(commit)}, {signed}"

    return admit


def _report(settings: "Settings", places: "Places", tell: Callable[[str], None]) -> None:
    """Send the newest report, where there is one that no server has yet."""
    if unsent(places):
        from gitops.agent.report import publish  # noqa: PLC0415  # see above
        from gitops.agent.settings import upstreams  # noqa: PLC0415  # see above

        if said := publish(intake(settings, places), upstreams(settings, places), places):
            tell(said)


def _tick(standing: Standing, state: str, reason: str = "") -> Tick:
    good = standing.good and state != "failed"
    return Tick(standing.commit or "", standing.notes, state, reason, good=good)


def _settled(standing: Standing, settled: Settled) -> Tick:
    if settled.error:
        return _tick(standing, "failed", str(settled.error))
    return _tick(standing, "nothing to do")


def _failed(standing: Standing, reason: str, places: "Places") -> UserError:
    over(_tick(standing, "failed", reason), places)
    return UserError(reason, hint="\n  ".join(standing.notes))


def _record(standing: Standing, places: "Places") -> None:
    """Put into the history what came, and what did not; a look that finds nothing new is no news."""
    if not (standing.news or standing.notes):
        return
    outcome = Outcome.REFUSED if standing.refused else Outcome.DONE if standing.remote else Outcome.FAILED
    detail = " ".join(" ".join([standing.news, *standing.notes]).split())
    commit, time = standing.refused or standing.commit or "", now()
    note(places, Turn("fetch", commit, running(places), time, outcome, time, detail))
