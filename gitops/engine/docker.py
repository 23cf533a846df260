"""Docker: the one way to talk to the engine. Every failure is told with the thing it happened to."""

from gitops.engine.containers import Containers
from gitops.engine.images import Images
from gitops.engine.networks import Networks
from gitops.engine.transfers import Transfers


class Docker(Containers, Networks, Images, Transfers):
    """The engine of this machine; connects when it is first asked, and `with` closes. Threads may share it.

    Every method raises UserError when the engine is away or refuses.
    """
