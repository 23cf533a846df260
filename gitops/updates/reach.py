"""Whom an update reaches: hosts and their instances, and which findings are about it."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gitops.updates.effect import Effect, Place
from gitops.updates.finding import Finding


@dataclass(frozen=True)
class Reached:
    """An app on a host, and those of its instances of which something restarts, sorted.

    Args:
        host: the host.
        app: the app.
        batch: how many instances change side by side; the next ones begin when these are healthy.
        instances: their names.
    """

    host: str
    app: str
    batch: int
    instances: tuple[str, ...]

    @property
    def batches(self) -> int:
        """Say in how many batches they restart."""
        return -(-len(self.instances) // self.batch)


def reached(places: Iterable[Place]) -> list[Reached]:
    """Group places by host and app, sorted."""
    groups: defaultdict[tuple[str, str, int], set[str]] = defaultdict(set)
    for place in places:
        groups[place.host, place.app, place.batch].add(place.instance)
    return [Reached(*group, tuple(sorted(names))) for group, names in sorted(groups.items())]


def untouched(effect: Effect) -> set[tuple[str, str]]:
    """Give host and instance of which nothing at all restarts."""
    restarted = {(place.host, place.instance) for place in effect.restarted}
    return {(place.host, place.instance) for place in effect.kept} - restarted


def spared(effect: Effect) -> list[str]:
    """Give the services that go on in instances of which others restart, sorted."""
    restarted = {(place.host, place.instance) for place in effect.restarted}
    parts = (place.services for place in effect.kept if (place.host, place.instance) in restarted)
    return sorted({service for services in parts for service in services})


def about(effect: Effect, name: str, findings: Iterable[Finding]) -> list[Finding]:
    """Give the findings that concern a group: all where everything goes together.

    Otherwise those that name a source package or an image of it: what is new elsewhere changes neither
    its text nor its commit.
    """
    own = {rebuild.image for rebuild in effect.rebuilt} | {package.source for package in effect.packages}
    return [finding for finding in findings if not name or own & set(re.split(r"[\s,()]+", finding.subject))]
