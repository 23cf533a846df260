"""`gitops why`: what made an instance what it is, and who."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption

if TYPE_CHECKING:
    from pathlib import Path

    from gitops.agent.why import Fact
    from gitops.deploy.failures import Failure
    from gitops.engine.observed import Observed
    from gitops.fleet.fleet import Fleet
    from gitops.git.past import Touch
    from gitops.git.repository import Repository
    from gitops.report.turns import Turn
    from gitops.system.places import Places


def why(
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="The instance.")],
    service: Annotated[
        str | None, typer.Argument(metavar="[SERVICE]", help="One of its services; otherwise all.")
    ] = None,
    package: Annotated[
        str | None,
        typer.Option("--package", metavar="PACKAGE", help="Only by which locks it has this Debian package."),
    ] = None,
    json: JsonOption = False,
    fleet: FleetOption = None,
    host: HostOption = None,
) -> None:
    """Say why an instance is what it is: the files that decide it, and the commits and people behind them.

    It is about the generation that this host runs, or, elsewhere or with --fleet, the commit that is checked
    out. What runs and when it last changed is told where the instance runs here.
    """
    from gitops.agent.origin import signed_by
    from gitops.agent.why import packages, reasons
    from gitops.deploy.failures import Failures
    from gitops.git.past import moment
    from gitops.report.turns import last_about
    from gitops.system.clock import localised
    from gitops.system.places import places

    place = places()
    loaded, here, commit, git = _state(fleet, host, place)
    if package:
        facts = packages(loaded, here, instance, service, package, git, commit)
    else:
        facts = reasons(loaded, here, instance, service, git, commit)
    made = moment(git, commit) if git else None
    signed = signed_by(commit, place)
    running = _running(loaded.settings.name, here, instance, service, place)
    turn = last_about(place, instance) if running else None
    failure = Failures(place.state).read().get(instance) if running else None
    if json:
        generation = {"commit": commit, "signed": signed or None, "by": made and _touch(made)}
        _emit(here, instance, generation, facts, running, turn, failure)
        return
    print(f"{instance}: {loaded.hosts[here].instances[instance].app} on {here}")
    print(f"generation: {_said(made) if made else commit[:12]}{f', {signed}' if signed else ''}")
    for one in running.values():
        print(f"runs: {one.service}, {one.status}, {one.image}, made from {one.generation[:12] or '-'}")
    if turn:
        _last(turn)
    if failure:
        print("\n  ".join([localised(str(failure.held())), *failure.said.splitlines()]))
    _table(facts)


def _state(
    fleet: "Path | None", host: str | None, place: "Places"
) -> "tuple[Fleet, str, str, Repository | None]":
    """Find the definitions that count, the host, their commit, and a repository that knows it."""
    from pathlib import Path

    from gitops.agent.generation import current
    from gitops.agent.origin import repository_of
    from gitops.cli.options import fleet_root
    from gitops.deploy.which import host_of
    from gitops.fleet.load import load
    from gitops.git.repository import Repository
    from gitops.system.errors import UserError

    if fleet is None and (place.state / "current").exists():
        generation = current(place)
        loaded = load(generation.path)
        git = repository_of(generation.commit, Path.cwd(), place)
        return loaded, host or generation.host, generation.commit, git
    root = fleet_root(fleet)
    loaded, git = load(root), Repository(root)
    if git.dirty():
        raise UserError(
            "files are not committed, so that nobody stands behind them", hint="git commit, or git stash"
        )
    return loaded, host_of(loaded, host), git.head(), git


def _running(
    fleet: str, host: str, instance: str, service: str | None, place: "Places"
) -> "dict[str, Observed]":
    """Give the instance's containers, where this machine is its host."""
    from gitops.agent.generation import runs_here
    from gitops.deploy.containers import containers_of
    from gitops.engine.docker import Docker
    from gitops.system.errors import UserError

    if not runs_here(host, place):
        return {}
    try:
        with Docker() as engine:
            return containers_of(engine, fleet, host, instance, service)
    except UserError:  # it is to run, and does not: what git says is told all the same
        return {}


def _said(touch: "Touch") -> str:
    from gitops.system.clock import local

    merged = f", merged by {touch.merge.committer} in {touch.merge.commit[:12]}" if touch.merge else ""
    return f"{touch.commit[:12]}, {local(touch.time)}, {touch.author}{merged}: {touch.subject}"


def _last(turn: "Turn") -> None:
    from gitops.system.clock import local

    when, what = local(turn.started), f"{turn.kind} {turn.commit[:12]} {turn.outcome}"
    print(f"last change: turn {turn.number}, {when}, {what}")
    for step in turn.steps:
        wrong = f"; {step.detail}" if step.detail else ""
        print(f"  {step.action} {step.subject} {step.outcome}: {step.reason}{wrong}")


def _table(facts: "list[Fact]") -> None:
    from gitops.cli.table import show
    from gitops.system.clock import local

    rows = []
    for one in facts:
        touch = one.touch
        who = touch.author.partition(" <")[0] if touch else "-"
        if touch and touch.merge:
            who += f", merged by {touch.merge.committer.partition(' <')[0]}"
        said = "; ".join(filter(None, [touch.subject if touch else "", one.detail]))
        when = local(touch.time) if touch else "-"
        rows.append(
            (one.service or "all", one.what, one.where, touch.commit[:12] if touch else "-", when, who, said)
        )
    head = ("service", "what", "where", "commit", "when", "who", "said")
    show(head, rows, spare=("when", "what", "service", "commit"))


def _emit(  # each is a key of its own
    host: str,
    instance: str,
    generation: dict[str, Any],
    facts: "list[Fact]",
    running: "dict[str, Observed]",
    turn: "Turn | None",
    failure: "Failure | None",
) -> None:
    from gitops.cli.document import emit
    from gitops.system.clock import stamp

    emit(
        host=host,
        instance=instance,
        generation=generation,
        running=[
            {
                "service": one.service,
                "state": one.state,
                "health": one.health or None,
                "image": one.image,
                "created": stamp(one.created),
                "generation": one.generation or None,
            }
            for one in running.values()
        ],
        last_change=turn
        and {
            "number": turn.number,
            "kind": turn.kind,
            "commit": turn.commit,
            "started": stamp(turn.started),
            "outcome": turn.outcome,
            "actions": [
                {"action": one.action, "subject": one.subject, "reason": one.reason, "outcome": one.outcome}
                for one in turn.steps
            ],
        },
        failure=failure
        and {
            "result": str(failure.result),
            "reason": failure.reason,
            "time": failure.at,
            "said": failure.said or None,
        },
        facts=[
            {
                "service": one.service or None,
                "what": one.what,
                "where": one.where,
                "by": one.touch and _touch(one.touch),
                "detail": one.detail or None,
            }
            for one in facts
        ],
    )


def _touch(touch: "Touch") -> dict[str, Any]:
    from gitops.system.clock import stamp

    return {
        "commit": touch.commit,
        "author": touch.author,
        "committer": touch.committer,
        "time": stamp(touch.time),
        "subject": touch.subject,
        "merge": touch.merge and _touch(touch.merge),
    }
