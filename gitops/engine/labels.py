"""The labels on everything gitops makes; what does not carry them is never touched."""

FLEET = "gitops.fleet"
HOST = "gitops.host"
INSTANCE = "gitops.instance"
SERVICE = "gitops.service"
VOLUME = "gitops.volume"
NETWORK = "gitops.network"

SPEC = "gitops.spec"
"""Digest of each field of the specification, so that a plan can say which one changed."""

IMAGE = "gitops.image"
"""The image's reference, as it was asked for."""

GENERATION = "gitops.generation"
"""The commit of the fleet that the container was made from."""

RESTART = "gitops.restart"
"""When the engine starts it again, in Compose's words; absent where that is the usual `unless-stopped`."""

UNLESS_STOPPED = "unless-stopped"
"""When containers start again where nothing else is said."""


def parse_digests(label: str) -> dict[str, str]:
    """Read the value of `SPEC`: field to digest; what is not of its form counts as no digest."""
    return {
        field: digest for field, mark, digest in (part.partition("=") for part in label.split(",")) if mark
    }
