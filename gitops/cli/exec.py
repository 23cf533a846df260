"""`gitops exec`: run a command in an instance's container."""

from typing import Annotated

import typer

from gitops.cli.options import FleetOption, HostOption

SETTINGS = {"allow_interspersed_args": False}
"""What comes after the instance is not this program's to read."""


def execute(
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="The instance.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERVICE] -- COMMAND [ARG]...",
            help="One of its services, where it has several; what is run there.",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", "-u", metavar="USER", help="Whom it runs as; otherwise the service's."),
    ] = None,
    fleet: FleetOption = None,
    host: HostOption = None,
) -> None:
    """Run a command in an instance's running container; options stand before the instance.

    It gets this program's input, and a terminal where both input and output are one; its exit status is this
    one's, as with docker exec. No shell reads the command.
    """
    import sys

    from gitops.cli.deployed import whose
    from gitops.deploy.containers import containers_of
    from gitops.engine.connection import address
    from gitops.engine.docker import Docker
    from gitops.system.errors import UserError
    from gitops.system.run import become

    before, mark, command = _parted(words or [])
    if not mark or not command or len(before) > 1:
        raise typer.BadParameter("write INSTANCE [SERVICE] -- COMMAND; options stand before the instance")
    name, here = whose(fleet, host)
    with Docker() as engine:
        found = containers_of(engine, name, here, instance, *before)
    if len(found) > 1:
        raise UserError(f"{instance} has several services", hint=f"name one: {', '.join(found)}")
    (one,) = found.values()
    if one.state != "running":
        raise UserError(f"{one.subject} is {one.state}", hint=f"gitops log {instance} {one.service}")
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    who = ["--user", user] if user else []
    become(["docker", "--host", address(), "exec", "--interactive", *terminal, *who, one.id, *command])


def _parted(words: list[str]) -> tuple[list[str], bool, list[str]]:
    """Part words at the first `--`; tell whether there is one."""
    if "--" not in words:
        return words, False, []
    at = words.index("--")
    return words[:at], True, words[at + 1 :]
