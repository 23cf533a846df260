"""`gitops schema`: the JSON Schema of the definitions."""

from pathlib import Path
from typing import Annotated

import typer


def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="fleet, image, app or host; otherwise all of them.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write them into the fleet's schemas/, where its files name them.")
    ] = False,
    fleet: Annotated[
        Path, typer.Option("--fleet", metavar="DIR", help="The fleet to write them into.")
    ] = Path(),
) -> None:
    """Print the JSON Schema that editors check definitions with."""
    import json

    from gitops.fleet.schema import schema_files, schemas
    from gitops.fleet.wording import did_you_mean
    from gitops.system import files
    from gitops.system.errors import UserError

    if write:
        if not (fleet / "fleet.yaml").is_file():
            raise UserError("there is no fleet.yaml here", file=fleet, hint="name the fleet with --fleet DIR")
        for path, text in schema_files().items():
            if files.write(fleet / path, text):
                print(fleet / path)
        return
    known = schemas()
    if kind is not None and kind not in known:
        raise UserError(f"there is no kind {kind}", hint=did_you_mean(kind, known))
    print(json.dumps(known if kind is None else known[kind], indent=2))
