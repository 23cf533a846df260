"""`gitops secret`: values that only the hosts that need them can read."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from gitops.cli.options import FleetOption

app = typer.Typer(help="Encrypt values for the hosts that need them.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="SECRET", help="The secret; it is secrets/NAME.age.")]
IdentityOption = Annotated[
    Path | None,
    typer.Option(
        "--identity", "-i", metavar="FILE", help="The age key to read with; otherwise this machine's."
    ),
]


@app.command("set")
def set_(name: NameArgument, fleet: FleetOption = None) -> None:
    """Encrypt a value, read from standard input or asked for, for the hosts that use it.

    From a pipe every byte counts, a line break at the end too: printf %s VALUE | gitops secret set NAME.
    """
    from gitops.cli.options import fleet_root
    from gitops.fleet.load import load
    from gitops.secrets.readers import put, recipients

    definitions = load(fleet_root(fleet), secrets_to_come=True)
    recipients(definitions, name)  # who may not set it need not be asked for it
    if sys.stdin.isatty():
        value = typer.prompt(f"value of {name}", hide_input=True, confirmation_prompt=True).encode()
    else:
        value = sys.stdin.buffer.read()
    _written(name, put(definitions, name, value))


@app.command()
def edit(name: NameArgument, identity: IdentityOption = None, fleet: FleetOption = None) -> None:
    """Open a secret in $VISUAL or $EDITOR, decrypted in memory only, and encrypt what you save.

    This takes a key that can read it: a host's, or that of one of fleet.yaml's `administrators`.
    """
    import os
    import shlex

    from gitops.cli.options import fleet_root
    from gitops.fleet.load import load
    from gitops.secrets.age import decrypt
    from gitops.secrets.hosts import secret_path
    from gitops.secrets.memory import private_directory
    from gitops.secrets.readers import put, recipients
    from gitops.system.files import write
    from gitops.system.places import places
    from gitops.system.run import attend

    definitions = load(fleet_root(fleet), secrets_to_come=True)
    recipients(definitions, name)
    path = secret_path(definitions.root, name)
    before = decrypt(path, identity or places().config / "age.key") if path.exists() else b""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "editor")
    with private_directory(places().runtime) as directory:
        write(directory / name, before, mode=0o600)
        attend([*editor, directory / name])
        after = (directory / name).read_bytes()
    if after == before:
        print(f"secrets/{name}.age: nothing changed")
    else:
        _written(name, put(definitions, name, after))


@app.command()
def rekey(identity: IdentityOption = None, fleet: FleetOption = None) -> None:
    """Encrypt anew what is not encrypted for exactly those who are to read it now.

    For after an instance moved, or a host or administrator came or went. The services that use such a secret
    are recreated. Who could read a value once, knows it: then set another.
    """
    from gitops.cli.options import fleet_root
    from gitops.fleet.load import load
    from gitops.secrets.readers import rekey as renew
    from gitops.system.places import places

    done = renew(load(fleet_root(fleet)), identity or places().config / "age.key")
    for name, (readers, lost) in done.items():
        warning = "; somebody who could read it no longer can: set another value" if lost else ""
        print(f"secrets/{name}.age: readable by {', '.join(readers)}; commit it{warning}")
    if not done:
        print("every secret is encrypted for those who are to read it")


@app.command("key")
def key() -> None:
    """Print this machine's age recipient, for hosts/NAME.yaml; its key is made where there is none."""
    from gitops.secrets.age import make_identity
    from gitops.system.places import places

    print(f"age: {make_identity(places().config / 'age.key')}")


def _written(name: str, readers: Mapping[str, str]) -> None:
    print(f"secrets/{name}.age: readable by {', '.join(readers)}; commit it")
