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
