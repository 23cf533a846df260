"""`gitops init`: a fleet to start from."""

import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it.")] = Path(),
    template: Annotated[
        str,
        typer.Option(
            "--template",
            metavar="TEMPLATE",
            help="What to start from: wordpress, nginx-static, python-app or postgres-app.",
        ),
    ] = "wordpress",
    mirror: Annotated[
        str | None,
        typer.Option(
            "--mirror", metavar="URL", help="Debian mirror; otherwise the one this host's apt uses."
        ),
    ] = None,
    security: Annotated[
        str | None,
        typer.Option("--security", metavar="URL", help="Mirror of security updates; otherwise this host's."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The fleet; otherwise named as its directory."),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", metavar="NAME", help="Its first host; otherwise this machine.")
    ] = None,
    web_port: Annotated[
        int | None,
        typer.Option(
            "--web-port",
            min=1,
            max=65534,
            help="Port of the first instance, the next ones follow; otherwise from 8001 on what is free.",
        ),
    ] = None,
    backup_repository: Annotated[
        str | None,
        typer.Option(
            "--backup-repository",
            metavar="PLACE",
            help="Where restic puts backups; otherwise /srv/restic, or a place of your own if not root.",
        ),
    ] = None,
) -> None:
    """Write a fleet to start from.

    An app that works, with its images, backups and a job, on this machine; what can be found out here is not
    asked. It goes into a git repository, a new one unless there is one; committing is left to you.
    """
    from gitops.debian.mirrors import host_archives
    from gitops.fleet.wording import did_you_mean
    from gitops.render.starter import KINDS, Starter, host_name, name_of, write_starter
    from gitops.system.errors import UserError

    if template not in KINDS:
        raise typer.BadParameter(f"there is no template {template}; {did_you_mean(template, KINDS)}")
    if mirror is None or security is None:
        found = host_archives()
        security = security or (found.security if mirror is None else None)
        mirror = mirror or found.debian
    if mirror is None:
        raise UserError("this host's apt names no Debian mirror", hint="name one with --mirror URL")
    kind = KINDS[template]
    starter = Starter(
        name=name or name_of(directory.absolute().name, "fleet"),
        host=host or host_name(),
        mirror=mirror.rstrip("/"),
        security=security.rstrip("/") if security else None,
        web_port=web_port or _free_port(8001, len(kind.instances)),
        backup_repository=backup_repository or _backups(),
        kind=template,
    )
    for path in write_starter(directory, starter):
        print(directory / path)
    if security is None:
        print("without security updates, for want of their mirror: name one with --security URL")
    ports = [starter.web_port + index for index, _ in enumerate(kind.instances)]
    print(f"{kind.about}; at {' and '.join(f'http://127.0.0.1:{port}/' for port in ports)} when it runs")
    there = "" if directory.absolute() == Path.cwd() else f"cd {shlex.quote(str(directory))} && "
    print(f"next: {there}gitops lock && gitops render")
    print("next: git add --all && git commit --message 'Start the fleet'")
    print("next: gitops build && gitops apply")


def _free_port(first: int, wanted: int) -> int:
    """Give the first of so many ports in a row that nobody on this machine listens on."""
    from gitops.system.ports import is_free

    return next(start for start in range(first, 60000) if all(is_free(start + i) for i in range(wanted)))


def _backups() -> str:
    """Give a directory that whoever runs this can write to."""
    import os

    from gitops.system.places import places

    return "/srv/restic" if os.geteuid() == 0 else str(places().state / "backups")
