"""Whether this machine takes images from the registry, and on whose word."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gitops.agent.settings import FILE, read_settings, unfit
from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.images.locks import Locks
from gitops.images.pull import Supply
from gitops.registry.registry import connect
from gitops.registry.transport import Patience
from gitops.system.errors import UserError
from gitops.system.places import Places
from gitops.system.progress import Progress

VARIABLE = "GITOPS_STATEMENT_SIGNERS"
SIGNERS = "statement-signers"
"""Name of the file in CONFIG that lists who may vouch for images; otherwise `trust.signers` of agent.yaml."""

_PATIENCE = Patience(attempts=2, connect_within=5, answer_within=30)
"""Building is the other way, and not much slower than a registry that does not answer."""


@contextmanager
def supply(  # noqa: PLR0913  # every one is a thing of its own
    fleet: Fleet,
    locks: Locks,
    references: Mapping[tuple[str, str], str],
    engine: Docker,
    places: Places,
    *,
    parents_only: bool,
    tell: Callable[[str], None],
    refused: Callable[[str, str], None],
    progress: Progress,
) -> Iterator[Supply | None]:
    """Give what images can be had from besides building them; arguments as for `Supply`.

    None: the fleet has no registry, or this machine trusts nobody's word for an image. That something is
    wrong with either is told, and no reason not to build.
    """
    with ExitStack() as stack:
        found = None
        if fleet.settings.registry:
            try:
                if signers := signers_of(places):
                    registry = stack.enter_context(connect(fleet.settings.registry, places, _PATIENCE))
                    found = Supply(
                        fleet,
                        locks,
                        references,
                        engine,
                        registry,
                        signers,
                        parents_only,
                        tell,
                        refused,
                        progress,
                    )
            except UserError as error:
                tell(f"nothing is taken from the registry: {error}")
        yield found


def signers_of(places: Places) -> Path | None:
    """Find the file of those whose statements this machine believes; None where there is none.

    `GITOPS_STATEMENT_SIGNERS` names it; otherwise it is CONFIG/statement-signers, otherwise the agent's
    `trust.signers`. Nothing in the fleet's repository is: who may vouch is not for the vouched-for to say.

    Raises:
        UserError: others may change it, it cannot be read, or agent.yaml is wrong.
    """
    if named := os.environ.get(VARIABLE):
        path = Path(named).absolute()
    elif (places.config / SIGNERS).exists():
        path = places.config / SIGNERS
    elif (places.config / FILE).exists() and (signers := read_settings(places).trust.signers):
        path = places.config / signers
    else:
        return None
    if reason := unfit(path, private=False):
        raise UserError(reason, file=path)
    return path
