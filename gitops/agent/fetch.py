"""From the servers' branch to the commit that this host may run: asked, fetched, verified, checked, accepted.

Whatever goes wrong on the way, the host goes on with the commit that it has accepted before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gitops.agent.generation import running
from gitops.agent.refused import RefusedError, recall, remember
from gitops.agent.settings import Settings, upstreams
from gitops.git.intake import Intake
from gitops.system.errors import UserError
from gitops.system.places import Places

Admit = Callable[[Intake, str, str | None], str]
"""Finds a commit good, given the one that it must stand on, and says how; raises RefusedError."""


class MovedError(Exception):
    """A server has a commit that is to be looked at, and nobody to look at it was given."""


@dataclass(frozen=True)
class Standing:
    """Where this host stands towards its servers.

    Args:
        commit: the newest commit that it may run; None: there was none yet.
        remote: the server that has it as its newest; empty where no server says so.
        notes: what is in the way, a text each: servers that are away, commits that are refused.
        news: how the commit was found good, when it is a new one.
        refused: the commit that was refused; empty where none was.
    """

    commit: str | None
    remote: str = ""
    notes: tuple[str, ...] = ()
    news: str = ""
    refused: str = ""

    @property
    def good(self) -> bool:
        """Tell whether a server answered, and nothing had to be refused."""
        return bool(self.remote) and not self.refused


def intake(settings: Settings, places: Places) -> Intake:
    """Give this host's copy of the fleet's repository."""
    return Intake(places.state / "repository.git", settings.path or "")


def advance(settings: Settings, places: Places, admit: Admit | None) -> Standing:
    """Ask the servers in their order, until one has a branch that this host can follow.

    Args:
        settings: the agent's.
        places: the host's directories.
        admit: judges what came; None: nothing is fetched.

    Raises:
        MovedError: a server has something new, and there is no `admit`.
    """
    own = intake(settings, places)
    own.prepare()
    accepted = own.accepted()
    standing = Standing(accepted or running(places) or None)  # a person may have applied it
    for upstream in upstreams(settings, places):
        try:
            tip = own.tip(upstream)
            if tip == accepted:
                return replace(standing, remote=upstream.url)
            recall(tip, accepted, settings, places)
            if admit is None:
                raise MovedError
            commit = own.fetch(upstream)
            news = admit(own, commit, standing.commit)
        except RefusedError as error:
            remember(error, accepted, settings, places)
            standing = replace(standing, notes=(*standing.notes, str(error)), refused=error.commit)
        except UserError as error:
            standing = replace(standing, notes=(*standing.notes, str(error)))
        else:
            own.accept(commit)
            own.tidy()
            return replace(standing, commit=commit, remote=upstream.url, news=news)
    return standing
