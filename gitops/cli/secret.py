"""`gitops secret`: values that only the hosts that need them can read."""

import sys
from typing import Annotated

import typer

from gitops.cli.options import FleetOption

app = typer.Typer(help="Encrypt values for the hosts that need them.", no_args_is_help=True)


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(help="The secret; it becomes secrets/NAME.age.")],
    fleet: FleetOption = None,
) -> None:
    """Encrypt a value, read from standard input or asked for, for the hosts whose instances use it.

    From a pipe every byte counts, a line break at the end too: printf %s VALUE | gitops secret set NAME.
    """
    from gitops.cli.options import fleet_root
    from gitops.fleet.load import load
    from gitops.secrets.age import encrypt
    from gitops.secrets.hosts import recipients, secret_path
    from gitops.system.files import write

    definitions = load(fleet_root(fleet), secrets_to_come=True)
    hosts = recipients(definitions, name)
    if sys.stdin.isatty():
        value = typer.prompt(f"value of {name}", hide_input=True, confirmation_prompt=True).encode()
    else:
        value = sys.stdin.buffer.read()
    path = secret_path(definitions.root, name)
    write(path, encrypt(value, hosts.values()))
    print(f"{path.relative_to(definitions.root)}: readable on {', '.join(hosts)}; commit it")


@app.command("key")
def key() -> None:
    """Print this host's age recipient, for hosts/NAME.yaml; its key is made where there is none."""
    from gitops.secrets.age import make_identity
    from gitops.system.places import places

    print(f"age: {make_identity(places().config / 'age.key')}")
