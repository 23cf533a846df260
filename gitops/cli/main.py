"""Which verbs there are."""

import logging
import shutil
from typing import Annotated

import typer

from gitops import __version__
from gitops.cli import agent, backup, ending, history, hooks, job, registry, secret, volume
from gitops.cli.apply import apply
from gitops.cli.build import build
from gitops.cli.check import check
from gitops.cli.completion import completion
from gitops.cli.diff import diff
from gitops.cli.doctor import doctor
from gitops.cli.exec import SETTINGS, execute
from gitops.cli.graph import graph
from gitops.cli.groups import Group
from gitops.cli.import_compose import import_compose
from gitops.cli.init import init
from gitops.cli.lock import lock
from gitops.cli.log import log
from gitops.cli.notify import notify
from gitops.cli.plan import plan
from gitops.cli.push import push
from gitops.cli.render import render
from gitops.cli.rollback import rollback
from gitops.cli.schema import schema
from gitops.cli.status import status
from gitops.cli.test import try_out
from gitops.cli.update import update
from gitops.cli.why import why

app = typer.Typer(
    help="One git repository in; Debian-only images, pipelines, deployments, backups and cron out.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    cls=Group,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"gitops {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell every command that is run.")] = False,
) -> None:
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, format="%(name)s: %(message)s")


for _verb in (
    init,
    doctor,
    check,
    schema,
    lock,
    render,
    build,
    push,
    diff,
    graph,
    update,
    plan,
    apply,
    status,
    why,
    log,
    rollback,
    notify,
    completion,
):
    app.command()(_verb)
app.command("import")(import_compose)
app.command("test")(try_out)
app.command("exec", context_settings=SETTINGS)(execute)
app.add_typer(agent.app, name="agent", cls=Group)
app.add_typer(history.app, name="history", cls=Group)
app.add_typer(volume.app, name="volume", cls=Group)
app.add_typer(backup.app, name="backup", cls=Group)
app.add_typer(job.app, name="job", cls=Group)
app.add_typer(registry.app, name="registry", cls=Group)
app.add_typer(secret.app, name="secret", cls=Group)
app.add_typer(hooks.app, name="hooks", cls=Group)


_NARROWEST = 52


def _narrow() -> dict[str, int]:
    """Say how wide the terminal is where typer would not believe it: to it each has 50 columns or more."""
    columns = shutil.get_terminal_size().columns
    return {"terminal_width": columns} if columns < _NARROWEST else {}


def main() -> None:
    """Run the verb that the command line names."""
    ending.run(lambda: app(**_narrow()))
