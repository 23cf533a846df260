"""`gitops job`: run an instance's jobs, list them, read their logs."""

from typing import TYPE_CHECKING, Annotated

import typer

from gitops.cli.job_list import list_jobs
from gitops.cli.options import FleetOption, HostOption, JsonOption

if TYPE_CHECKING:
    from gitops.report.history import Run

app = typer.Typer(help="Run scheduled commands, and see how they went.", no_args_is_help=True)

InstanceArgument = Annotated[str, typer.Argument(metavar="INSTANCE", help="The instance; @host: the host.")]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job.")]


@app.command()
def run(
    instance: InstanceArgument,
    job: JobArgument,
    fleet: FleetOption = None,
    host: HostOption = None,
    *,
    due: Annotated[bool, typer.Option("--due", help="Cron asks: run it if this minute is meant.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Print its output as it comes.")] = False,
) -> None:
    """Run a job now, as its schedule would; its exit status becomes this one's.

    The output goes to a log. A job that takes longer than its timeout is ended, exit status 124. While it
    runs, a second one is skipped, or waits, or ends the first, as its definition says. Where its service does
    not run in time it is missed, exit status 75.
    """
    from gitops.cli.deployed import deployed
    from gitops.jobs.definition import no_such_job
    from gitops.jobs.lean import run as run_here
    from gitops.jobs.scheduled import scheduled
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    mine = {one.name: one for one in scheduled(loaded, here) if one.instance == instance}
    if job not in mine:
        raise no_such_job(instance, job, mine)
    raise typer.Exit(run_here(mine[job], places(), due=due, follow=follow))


app.command("list")(list_jobs)


@app.command()
def log(
    instance: InstanceArgument,
    job: JobArgument,
    number: Annotated[
        int | None, typer.Option("--run", help="Which run; `job history` numbers them.")
    ] = None,
) -> None:
    """Print what a job wrote when it ran last, or in a run of before, both of its outputs in order.

    When it ran and how it ended is told on standard error.
    """
    import sys

    from gitops.report.history import runs
    from gitops.system.errors import UserError
    from gitops.system.places import places
    from gitops.system.terminal import copy

    found = runs(places(), kind="job", instance=instance, name=job, limit=-1)
    kept = [one for one in found if one.number == number or (number is None and one.outcome != "skipped")]
    if not kept:
        which = f"no run {number}" if number else "not run yet"
        raise UserError(f"{job} of {instance} has {which}", hint=f"gitops job history {instance} {job}")
    when, *_, took, _, went = _cells(kept[0])
    print(f"{when}  {instance}/{job}  {went} after {took}", file=sys.stderr, flush=True)
    path = places().state / kept[0].log
    if not kept[0].log:
        print("no output", file=sys.stderr)
    elif not path.exists():
        raise UserError("is not kept any more", file=path)
    else:
        with path.open("rb") as file:
            copy(file)


@app.command()
def history(
    instance: Annotated[str | None, typer.Argument(metavar="[INSTANCE]", help="Of this instance.")] = None,
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Of this job.")] = None,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only what did not go well.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, the newest last.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Say which jobs ran, when, and how they ended."""
    from gitops.cli.document import emit
    from gitops.cli.table import show
    from gitops.jobs.document import plain_run
    from gitops.report.history import GOOD, runs
    from gitops.system.places import places

    found = runs(places(), kind="job", instance=instance, name=job, limit=-1 if failed else limit)
    shown = [one for one in found if not failed or one.outcome not in GOOD][:limit][::-1]
    if as_json:
        emit(runs=[plain_run(one) for one in shown])
    elif shown:
        head = ("run", "when", "instance", "job", "took", "tries", "outcome")
        show(head, [(str(one.number), *_cells(one)) for one in shown], spare=("tries", "took", "run"))
    else:
        print("no job has failed" if failed and found else "no job has run yet")


@app.command("catch-up")
def catch_up_() -> None:
    """Run once the jobs that ask for it and were due while nothing ran them; cron does this every hour."""
    from gitops.jobs.catch_up import catch_up
    from gitops.system.places import places

    catch_up(places(), print)


def _cells(one: "Run") -> tuple[str, ...]:
    from gitops.system.clock import local

    status = f", exit status {one.status}" if one.outcome == "failed" else ""
    went = f"{one.outcome}{status}{f': {one.detail}' if one.detail else ''}"
    return (local(one.started), one.instance, one.name, f"{one.seconds:.1f} s", str(one.tries), went)
