"""What the engine's things are called: FLEET.INSTANCE.THING, so that nothing of two fleets can collide."""


def container_name(fleet: str, instance: str, service: str) -> str:
    """Name the container of an instance's service."""
    return f"{fleet}.{instance}.{service}"


def volume_name(fleet: str, instance: str, volume: str) -> str:
    """Name an instance's volume."""
    return f"{fleet}.{instance}.{volume}"


def network_name(fleet: str, instance: str, network: str) -> str:
    """Name an instance's network."""
    return f"{fleet}.{instance}.{network}"
