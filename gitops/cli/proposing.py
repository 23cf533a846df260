"""`gitops agent update`: the update bot of a host, which works where its agent is."""

from enum import StrEnum
from typing import Annotated

import typer


class Propose(StrEnum):
    """What becomes of updates that are found."""

    PULL_REQUEST = "pull-request"
    BRANCH = "branch"
    NOTHING = "nothing"


def update(
    propose: Annotated[
        Propose,
        typer.Option(help="What becomes of what is found; `nothing`: exit status 1 when there is something."),
    ] = Propose.PULL_REQUEST,
    *,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for the schedule of fleet.yaml.")] = False,
) -> None:
    """Find newer packages for the commit that this host's agent has accepted, and propose them.

    As `gitops update`, but without a checkout: on top of the branch that the agent follows, at the agent's
    first server. hosts/NAME.yaml says under `updates` when that is done.
    """
    from gitops.agent.proposing import desk
    from gitops.cli.deployed import deployed
    from gitops.cli.progress import shown
    from gitops.cli.update import tell
    from gitops.system.places import places
    from gitops.updates.propose import look
    from gitops.updates.propose import propose as bring
    from gitops.updates.target import forge_of

    here, (fleet, host) = places(), deployed(None)
    settings = fleet.settings.updates
    forge = propose is Propose.PULL_REQUEST and settings.forge.kind != "none"
    with desk(fleet, host, here, forge=forge) as mine:
        if propose is Propose.NOTHING:
            with shown() as progress:
                updates = look(mine.repository, mine.commit, here, progress)
            tell(updates, (), proposed=False)
            raise typer.Exit(1 if updates.updates else 0)
        if forge:
            forge_of(mine.remote, settings)  # what is missing for that is told first, not after minutes
        mine.check_base(settings.branch)
        with shown() as progress:
            updates = look(mine.repository, mine.commit, here, progress)
        outcomes = bring(
            updates, mine.repository, mine.remote, mine.base, now=now, branches_only=propose is Propose.BRANCH
        )
    tell(updates, outcomes, proposed=True)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(1)
