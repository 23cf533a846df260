"""Volumes that nothing on this host names any more: they stay until somebody says otherwise."""

from collections.abc import Iterable

from gitops.deploy.desired import Desired
from gitops.engine.leftovers import Leftovers, Volume
from gitops.engine.observed import Observed


def orphans(desired: Desired, containers: Iterable[Observed], volumes: Iterable[Volume]) -> list[Volume]:
    """Give the volumes that no placed instance's app names.

    Args:
        desired: what the host is to run.
        containers: what it has; one whose instance is about to go may still write to its volumes.
        volumes: all of the host's.
    """
    named = {one.name for one in desired.volumes}
    placed = {one.instance for one in desired.containers}
    leaving = {one.instance for one in containers} - placed
    return [one for one in volumes if one.name not in named and one.instance not in leaving]


def prune(engine: Leftovers, volumes: Iterable[Volume]) -> tuple[list[Volume], list[Volume]]:
    """Remove volumes and all that is in them.

    Returns:
        Those that are gone, and those that stay because a container has them.
    """
    gone: list[Volume] = []
    kept: list[Volume] = []
    for volume in volumes:
        (gone if engine.remove_volume(volume.name) else kept).append(volume)
    return gone, kept
