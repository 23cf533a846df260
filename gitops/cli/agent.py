"""`gitops agent`: the host's agent, from its installation to its pause."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from gitops.cli.proposing import update

app = typer.Typer(help="Follow a git repository, and make this host so.", no_args_is_help=True)
app.command()(update)


@app.command("install")
def install_(
    remotes: Annotated[
        list[str] | None, typer.Option("--remote", help="URL of the fleet's repository.")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="Which of the fleet's hosts this is.")] = None,
    branch: Annotated[str, typer.Option(help="The branch to follow.")] = "main",
    signers: Annotated[Path | None, typer.Option(help="Allowed signers (ssh-keygen(1)) to copy.")] = None,
    keyring: Annotated[Path | None, typer.Option(help="OpenPGP keys (gpg --export) to copy.")] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Run commits that nobody signed.")] = False,
    webhook: Annotated[bool, typer.Option("--webhook", help="Also look when a forge says so.")] = False,
    cron: Annotated[bool, typer.Option("--cron", help="Tick by cron, not by a service.")] = False,
) -> None:
    """Make this machine a host: settings, keys, and what starts the agent.

    What is there stays; run it again to see what is left to do.
    """
    from socket import gethostname

    from gitops.agent.install import Wish, install
    from gitops.deploy.units import booted_with_systemd
    from gitops.system.places import places

    name = host or gethostname().partition(".")[0]
    wish = None
    if remotes:
        wish = Wish(name, remotes, branch, signers, keyring, unsigned=unsigned, webhook=webhook)
    for text in install(wish, places(), systemd=booted_with_systemd() and not cron):
        print(f"- {text}")


@app.command("run")
def run_() -> None:
    """Follow the repository until stopped; what there is to do is done as it comes."""
    from gitops.agent.daemon import Daemon, child_command
    from gitops.agent.settings import read_settings
    from gitops.cli.apply import tell
    from gitops.system.places import places

    Daemon(read_settings(places()), places(), child_command(), tell).run()


@app.command("once")
def once(
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Remove every container when the host has no instances.")
    ] = False,
) -> None:
    """Tick once: fetch, verify, check, and make this host so.

    Exit status 1 when the host could not be made so, or a newer commit could not be had.
    """
    from gitops.agent.lookout import look_out
    from gitops.agent.settings import read_settings
    from gitops.agent.tick import tick
    from gitops.cli.apply import build_with, tell
    from gitops.engine.docker import Docker
    from gitops.system.errors import InterruptedByUserError, UserError
    from gitops.system.places import places
    from gitops.view.publish import refresh

    def interrupt(*_: object) -> None:
        raise InterruptedByUserError

    signal.signal(signal.SIGTERM, interrupt)
    place = places()
    try:
        with Docker() as engine:
            build = build_with(engine, place)
            done = tick(read_settings(place), place, engine, build=build, tell=tell, allow_empty=allow_empty)
    except OSError as error:
        raise UserError(f"this tick failed: {error}", hint="the next one carries on") from error
    except UserError:
        look_out(place)
        refresh(place)
        raise
    print(str(done).splitlines()[-1], flush=True)
    look_out(place)
    refresh(place)
    if not done.good:
        raise typer.Exit(1)


@app.command("wake")
def wake_() -> None:
    """Let the running agent look at git now."""
    from gitops.agent.wake import wake
    from gitops.system.places import places

    wake(places())


@app.command("accept")
def accept_(commit: Annotated[str, typer.Argument(help="In full; it was fetched and refused.")]) -> None:
    """Go on from a commit that does not stand on the one before, after the branch was rewritten on purpose.

    It must be signed, and pass the check, as any other.
    """
    from gitops.agent.settings import read_settings
    from gitops.agent.tick import accept
    from gitops.system.places import places

    print(accept(commit, read_settings(places()), places()))


@app.command("pause")
def pause_(
    span: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="How long, as 30m or 2h; otherwise: until resume."),
    ] = None,
) -> None:
    """Let the agent change nothing for a while; a tick that is under way ends first."""
    from gitops.agent.pause import pause
    from gitops.fleet.values import parse_duration
    from gitops.system.errors import UserError
    from gitops.system.places import places

    try:
        seconds = parse_duration(span)
    except ValueError as error:
        raise UserError(str(error)) from error
    print(pause(places(), seconds if isinstance(seconds, float) else None))


@app.command("resume")
def resume_() -> None:
    """End a pause, and look at git now."""
    from contextlib import suppress

    from gitops.agent.pause import resume
    from gitops.agent.wake import wake
    from gitops.system.errors import UserError
    from gitops.system.places import places

    print("resumed" if resume(places()) else "was not paused")
    with suppress(UserError):  # no agent runs: whatever ticks here next will do
        wake(places())
