"""`gitops init`: a fleet to start from."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it.")] = Path(),
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
        int, typer.Option("--web-port", min=1, max=65534, help="Port of the first site; the second is next.")
    ] = 8001,
    backup_repository: Annotated[
        str, typer.Option("--backup-repository", metavar="PLACE", help="Where restic puts backups.")
    ] = "/srv/restic",
) -> None:
    """Write a fleet to start from.

    Two WordPress sites with backups and a job, on this machine. It goes into a git repository, a new one
    unless there is one; committing is left to you.
    """
    from gitops.debian.mirrors import host_archives
    from gitops.render.starter import Starter, host_name, name_of, write_starter
    from gitops.system.errors import UserError

    if mirror is None or security is None:
        found = host_archives()
        security = security or (found.security if mirror is None else None)
        mirror = mirror or found.debian
    if mirror is None:
        raise UserError("this host's apt names no Debian mirror", hint="name one with --mirror URL")
    starter = Starter(
        name=name or name_of(directory.absolute().name, "fleet"),
        host=host or host_name(),
        mirror=mirror.rstrip("/"),
        security=security.rstrip("/") if security else None,
        web_port=web_port,
        backup_repository=backup_repository,
    )
    for path in write_starter(directory, starter):
        print(directory / path)
    if security is None:
        print("without security updates, for want of their mirror: name one with --security URL")
    if directory.absolute() != Path.cwd():
        print(f"next: cd {directory}")
    print("next: gitops check")
    print("next: git add --all && git commit")
    print("next: gitops lock && gitops render && gitops build")
