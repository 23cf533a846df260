"""`gitops schema`: the JSON Schema of the definitions."""

from typing import Annotated

import typer


def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="fleet, image, app or host; otherwise all of them.")
    ] = None,
) -> None:
    """Print the JSON Schema that editors check definitions with."""
    import json

    from gitops.fleet.schema import schemas
    from gitops.fleet.wording import did_you_mean
    from gitops.system.errors import UserError

    known = schemas()
    if kind is not None and kind not in known:
        raise UserError(f"there is no kind {kind}", hint=did_you_mean(kind, known))
    print(json.dumps(known if kind is None else known[kind], indent=2))
