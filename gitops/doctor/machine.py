"""The machine that is looked at: what it is in a fleet, if there is one."""

from dataclasses import dataclass
from pathlib import Path

from gitops.agent.generation import current
from gitops.agent.settings import FILE, read_settings
from gitops.agent.settings import Settings as AgentSettings
from gitops.deploy.which import host_of
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.fleet.root import find_root
from gitops.system.errors import UserError
from gitops.system.places import Places


@dataclass(frozen=True)
class Machine:
    """What is known before anything is looked at.

    Args:
        places: where gitops keeps its things here.
        root: the fleet's directory; None outside one.
        fleet: the fleet; None outside one, and where it cannot be read.
        refusal: why it cannot be read.
        deployed: the fleet is what this host runs, and no repository to work in.
        host: which of its hosts this machine is; None: none of them, a desk.
        agent: what the agent here is told; None: there is no agent, or its settings are wrong.
    """

    places: Places
    root: Path | None = None
    fleet: Fleet | None = None
    refusal: UserError | None = None
    deployed: bool = False
    host: str | None = None
    agent: AgentSettings | None = None

    @property
    def has_agent(self) -> bool:
        """Tell whether an agent was installed here, whatever its settings say."""
        return (self.places.config / FILE).exists()


def look_around(start: Path, places: Places, *, named: bool, host: str | None = None) -> Machine:
    """Find out what this machine is.

    Args:
        start: a directory in the fleet; outside of one, a host's agent knows its own.
        places: this installation's.
        named: somebody has said that the fleet is there.
        host: which of its hosts this machine is, where somebody says so.

    Raises:
        UserError: there is no fleet where one was named, or no such host in it.
    """
    agent, deployed = None, False
    if (places.config / FILE).exists():
        try:
            agent = read_settings(places)
        except UserError:  # the check of the agent will say why
            agent = None
    try:
        root = find_root(start)
    except UserError:
        if named:
            raise
        try:
            root = current(places).path
            deployed = True
        except UserError:
            return Machine(places, agent=agent)
    try:
        fleet = load(root)
    except UserError as error:
        return Machine(places, root, None, error, deployed, agent=agent)
    if host is not None:
        return Machine(places, root, fleet, None, deployed, host_of(fleet, host), agent)
    try:
        here = agent.host if agent and agent.host in fleet.hosts else host_of(fleet, None)
    except UserError:
        return Machine(places, root, fleet, None, deployed, agent=agent)
    return Machine(places, root, fleet, None, deployed, here, agent)
