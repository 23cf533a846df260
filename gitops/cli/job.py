"""`gitops job`: run an instance's jobs, list them, read their logs."""

from typing import Annotated

import typer

from gitops.cli.options import FleetOption, HostOption, JsonOption

app = typer.Typer(help="Run scheduled commands, and see how they went.", no_args_is_help=True)

InstanceArgument = Annotated[str, typer.Argument(metavar="INSTANCE", help="The instance.")]
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="The job.")]


@app.command()
def run(
    instance: InstanceArgument,
    job: JobArgument,
    fleet: FleetOption = None,
    host: HostOption = None,
    due: Annotated[bool, typer.Option("--due", hidden=True)] = False,  # noqa: ARG001 # what cron's line says
) -> None:
    """Run a job now, as its schedule would; its exit status becomes this one's.

    The output also goes to a log. A job that takes longer than its timeout is ended, exit status 124.
    While it runs, a second one is not begun.
    """
    import sys

    from gitops.cli.deployed import deployed
    from gitops.engine.docker import Docker
    from gitops.jobs.run import run_job
    from gitops.system.places import places

    def show(chunk: bytes) -> None:
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    loaded, here = deployed(fleet, host)
    done = run_job(Docker(), loaded.settings.name, loaded.instance(here, instance), job, places(), show=show)
    if done.skipped:
        print(f"{job} of {instance} is still running; skipped", file=sys.stderr)
    raise typer.Exit(done.status)


@app.command("list")
def list_jobs(fleet: FleetOption = None, host: HostOption = None, *, as_json: JsonOption = False) -> None:
    """List the jobs of this host's instances, and how each went last."""
    import json

    from gitops.cli.deployed import deployed
    from gitops.report.history import runs
    from gitops.system.clock import stamp
    from gitops.system.places import places

    loaded, here = deployed(fleet, host)
    rows = []
    for name, instance in sorted(loaded.instances(here).items()):
        for job, definition in sorted(instance.definition.jobs.items()):
            last = next(iter(runs(places(), kind="job", instance=name, name=job, limit=1)), None)
            rows.append(
                {
                    "instance": name,
                    "job": job,
                    "schedule": definition.schedule,
                    "last": stamp(last.started) if last else None,
                    "status": last.status if last else None,
                    "seconds": round(last.seconds, 3) if last else None,
                    "detail": last.detail if last else "",
                }
            )
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        went = f"last {row['last']}, exit status {row['status']}" if row["last"] else "not run yet"
        detail = f" ({row['detail']})" if row["detail"] else ""
        print(f"{row['instance']} {row['job']}: {row['schedule']}; {went}{detail}")
    if not rows:
        print(f"no instance on {here} has jobs")


@app.command()
def log(instance: InstanceArgument, job: JobArgument) -> None:
    """Print the newest log of a job as the job wrote it.

    When it ran and how it ended is told on standard error.
    """
    import shutil
    import sys

    from gitops.jobs.run import logs
    from gitops.report.history import runs
    from gitops.system.clock import stamp
    from gitops.system.errors import UserError
    from gitops.system.places import places

    found = logs(places(), instance, job)
    if not found:
        raise UserError(f"{job} of {instance} has no log yet", hint=f"gitops job run {instance} {job}")
    for one in runs(places(), kind="job", instance=instance, name=job):
        if stamp(one.started) == found[-1].stem:
            told = f"{found[-1].stem}: exit status {one.status} after {one.seconds:.1f} s"
            size = found[-1].stat().st_size
            print(f"{told}, {size} bytes of output" if size else f"{told}, no output", file=sys.stderr)
    with found[-1].open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
