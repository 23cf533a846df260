"""Secrets as containers were given them, still encrypted: memory forgets at a reboot, git may have moved on.

`KEPT/INSTANCE/SERVICE.DIGEST/` stands for the directory of that name which a container sees. It is a fleet of
nothing but secrets: `secrets/NAME.age`, and `uses.json` with how the service sees each. Losing it costs only
that a container which was left as it was, since its new version failed, does not start after a reboot.
"""

import json
from collections.abc import Callable, Collection
from pathlib import Path

from gitops.fleet.services import SecretUse
from gitops.secrets.hosts import give, secret_path
from gitops.system.errors import UserError
from gitops.system.files import write

_USES = "uses.json"


def keep(root: Path, uses: Collection[SecretUse], own: Path) -> None:
    """Keep the encrypted files that a container's secrets come from.

    Args:
        root: the fleet.
        uses: which secrets, and how the service sees them.
        own: the container's directory below KEPT.
    """
    for use in uses:
        write(secret_path(own, use.source), secret_path(root, use.source).read_bytes(), mode=0o600)
    write(own / _USES, json.dumps([vars(use) for use in uses]), mode=0o600)


def give_again(kept: Path, given: Path, identity: Path, tell: Callable[[str], None]) -> None:
    """Decrypt again what is missing in memory; what cannot be had is told, and stops nobody.

    Args:
        kept: KEPT.
        given: where containers see their secrets, `GIVEN/INSTANCE/SERVICE.DIGEST/TARGET`.
        identity: the host's age key.
        tell: says what is in the way.
    """
    for path in sorted(kept.glob(f"*/*/{_USES}")):
        own = given / path.parent.relative_to(kept)
        try:
            uses = [SecretUse.model_construct(**told) for told in json.loads(path.read_text())]
            if not all((own / (use.target or use.source)).exists() for use in uses):
                give(path.parent, uses, own, identity)
        except (UserError, OSError, ValueError, TypeError, AttributeError) as error:
            tell(f"the secrets of {own.parent.name}/{own.stem} cannot be given again: {error}")
