"""`gitops hooks`: git's hooks, put into a repository; and what each of them does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gitops.system.errors import Problem

app = typer.Typer(help="Let git refuse what could not be deployed.", no_args_is_help=True)

_Repository = Annotated[
    Path | None,
    typer.Option(
        "--repository", metavar="DIR", help="The repository; otherwise the one around this directory."
    ),
]
_Into = Annotated[
    Path | None,
    typer.Option("--into", metavar="DIR", help="Where the hooks go; otherwise where git looks for them."),
]


@app.command("install")
def install_(
    server: Annotated[bool, typer.Option("--server", help="For a repository that is pushed to.")] = False,
    repository: _Repository = None,
    into: _Into = None,
) -> None:
    """Put hooks into a repository: pre-commit or, with --server, pre-receive and post-receive.

    A hook that is there already is kept, and runs as before.
    """
    from gitops.git.repository import Repository
    from gitops.guard.install import COMMITTING, RECEIVING, install
    from gitops.guard.place import hooks_directory, is_bare, out_of_reach
    from gitops.guard.settings import read_settings
    from gitops.system.errors import UserError
    from gitops.system.program import itself

    where = Repository(repository or Path.cwd())
    if into is None and not server and is_bare(where):
        raise UserError(
            f"{where.directory} has no work tree to commit in", hint="gitops hooks install --server"
        )
    program, *words = itself()
    command = [str(Path(program).absolute()), *words]
    if server and into is None and (stop := out_of_reach(Path(command[0]), where.directory.stat())):
        hint = "install it where everybody may read, /opt/gitops say, and run that one"
        raise UserError(f"the repository's owner cannot run {command[0]}, because of {stop}", hint=hint)
    directory = into.absolute() if into else hooks_directory(where)
    for line in install(directory, RECEIVING if server else COMMITTING, command):
        print(line)
    if server and into is None:
        settings = read_settings(where)
        print(f"protected: {', '.join(settings.protected)}")
        signed = settings.signers or settings.keyring
        print(
            "signatures: " + (f"by {signed}" if signed else "not asked for; git config gitops.signers FILE")
        )


@app.command("uninstall")
def uninstall_(repository: _Repository = None, into: _Into = None) -> None:
    """Take the hooks out of a repository, and put back what was there before."""
    from gitops.git.repository import Repository
    from gitops.guard.install import forget, uninstall
    from gitops.guard.place import hooks_directory

    where = Repository(repository or Path.cwd())
    directory = into.absolute() if into else hooks_directory(where)
    for line in uninstall(directory) or [f"{directory}: has no hooks of gitops"]:
        print(line)
    if not into:
        forget(where.directory)


@app.command("pre-commit")
def pre_commit_() -> None:
    """Judge what is staged; git's hook of that name calls this."""
    from gitops.git.repository import Repository
    from gitops.guard.commit import judge_staged
    from gitops.guard.printable import shortened

    _load_early()
    if problems := judge_staged(Repository(Path.cwd()), _judge):
        typer.echo(shortened(map(str, problems)), err=True)
        raise typer.Exit(1)


@app.command("pre-receive")
def pre_receive_() -> None:
    """Judge a push, which git describes on standard input; git's hook of that name calls this."""
    import sys

    from gitops.git.repository import Repository
    from gitops.guard.bounds import bound
    from gitops.guard.printable import shortened
    from gitops.guard.push import judge_push, moves

    _load_early()
    bound()
    if refusals := judge_push(Repository(Path.cwd()), moves(sys.stdin), _judge):
        typer.echo(shortened(map(str, refusals)), err=True)
        raise typer.Exit(1)


@app.command("post-receive")
def post_receive_() -> None:
    """Wake the agents that `git config` names, and the one of this machine; git's hook calls this."""
    import os
    import signal
    from contextlib import suppress

    from gitops.agent.wake import wake
    from gitops.git.repository import Repository
    from gitops.guard.ring import ring
    from gitops.guard.settings import read_settings
    from gitops.system.errors import UserError
    from gitops.system.places import places

    signal.alarm(60)  # whatever happens, it ends
    with suppress(PermissionError):  # it is the first of its session already
        os.setsid()
    with suppress(UserError):  # none runs here, or it is not for this account
        wake(places())
    failed = ring(read_settings(Repository(Path.cwd())).agents)
    for name, reason in failed.items():
        typer.echo(f"{name} was not woken: {reason}", err=True)
    if failed:
        raise typer.Exit(1)


def _judge(root: Path, repository: Path, path: str) -> "list[Problem]":
    from gitops.guard.judge import judge

    return judge(root, repository, path)


def _load_early() -> None:
    """Load what judges while git is at work; it takes as long as git does."""
    from importlib import import_module
    from threading import Thread

    Thread(target=import_module, args=("gitops.guard.judge",), daemon=True).start()
