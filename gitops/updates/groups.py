"""Cutting what is new into groups, each of which can be taken alone: one group is one pull request."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gitops.debian.packages import Package
from gitops.fleet.fleet import Fleet
from gitops.fleet.updates import Updates
from gitops.images.locks import Locks, targets
from gitops.updates.difference import Difference, Key, take

Judge = Callable[[Sequence[tuple[Key, tuple[Package, ...]]]], list[tuple[frozenset[str], ...]]]
"""Tells for each image, given all the packages it would have, which names are in each other's way."""


@dataclass(frozen=True)
class Group:
    """Differences that are taken together.

    Args:
        name: stable from run to run; empty where everything goes together.
        is_security: whether some of it comes from a security suite and is to go apart from the rest.
        differences: they are consistent with the locks as they are.
    """

    name: str
    is_security: bool
    differences: frozenset[Difference]


def cut(
    fleet: Fleet, old: Locks, wanted: Iterable[Difference], settings: Updates, judge: Judge
) -> list[Group]:
    """Cut differences into groups as the settings say; what needs each other stays together.

    A group that would not leave every image installable is joined with those that it needs, and takes the
    name of the first of them.

    Args:
        fleet: the definitions.
        old: every lock as it is.
        wanted: differences that can be taken all at once.
        settings: how they are cut.
        judge: says whether an image could be installed.

    Returns:
        The groups: security first, then by name.
    """
    groups: dict[tuple[bool, str], set[Difference]] = defaultdict(set)
    for difference in wanted:
        groups[_group(difference, settings)].add(difference)
    unseen = sorted(groups)
    while len(groups) > 1 and unseen:
        key = unseen.pop(0)
        others = _needed(fleet, old, groups, key, judge)
        if others:
            first, *rest = sorted([key, *others])
            for joined in rest:
                groups[first] |= groups.pop(joined)
            unseen = [first, *(name for name in unseen if name in groups and name != first)]
    return [Group(name, not later, frozenset(some)) for (later, name), some in sorted(groups.items())]


def feasible(
    fleet: Fleet,
    old: Locks,
    wanted: Iterable[Difference],
    touched: Iterable[Key],
    judge: Judge,
    must_move: Callable[[Difference], bool] = lambda _: False,
) -> tuple[frozenset[Difference], dict[Difference, frozenset[str]]]:
    """Give what of some differences can be taken when others of the same images are not.

    Where two cannot be taken together, the one gives way that concerns fewer images.

    Args:
        fleet: the definitions.
        old: every lock as it is.
        wanted: what is to be taken.
        touched: images of whose differences something is left out; those on top of them are looked at too.
        judge: says whether an image could be installed.
        must_move: tells of a difference that its old package cannot be had any more; it gives way last.

    Returns:
        What can be taken, and for everything else the names of the packages that stand in its way.
    """
    kept, blocked, touched = set(wanted), dict[Difference, frozenset[str]](), set(touched)
    while True:
        chains = {
            key: chain
            for key in targets(fleet)
            if touched & set(chain := stack(fleet, key)) and any(each.key in chain for each in kept)
        }
        locks = {**old, **take(old, kept)}
        out: dict[Difference, frozenset[str]] = {}
        answers = judge([(key, contents(locks, chain)) for key, chain in chains.items()])
        for chain, troubles in zip(chains.values(), answers, strict=True):
            ours = {each for each in kept if each.key in chain}
            for names in troubles:
                out |= dict.fromkeys(_giving_way(ours, chain, names, must_move), names)
        if not out:
            return frozenset(kept), blocked
        kept -= out.keys()
        blocked |= out
        touched |= {each.key for each in out}


def stack(fleet: Fleet, key: Key) -> tuple[Key, ...]:
    """Give an image and all that it stands on, itself first."""
    image, architecture = key
    chain = []
    while image != "scratch":
        chain.append((image, architecture))
        image = fleet.images[image].parent
    return tuple(chain)


def contents(locks: Locks, chain: Iterable[Key]) -> tuple[Package, ...]:
    """Give all packages of an image; one that two locks of it name is there twice."""
    return tuple(sorted(package for key in chain for package in locks[key].packages))


def _giving_way(
    ours: set[Difference],
    chain: tuple[Key, ...],
    names: frozenset[str],
    must_move: Callable[[Difference], bool],
) -> set[Difference]:
    """Choose which differences of an image to do without; all of them where none is named."""
    ranks = {each: (must_move(each), chain.index(each.key)) for each in ours if each.name in names}
    if not ranks:
        return ours
    first = min(ranks.values())
    sources = {each.package.source for each, rank in ranks.items() if rank == first}
    return {each for each in ours if each.package.source in sources and ranks.get(each, first) == first}


def _group(difference: Difference, settings: Updates) -> tuple[bool, str]:
    """Give the group of a difference, as it sorts: whether it may wait for security's, and its name."""
    name = {
        "all": "",
        "archive": difference.package.archive,
        "source": difference.package.source,
        "image": difference.key[0],
    }[settings.group]
    if settings.security == "apart" and difference.is_security:
        return False, f"security-{name}".rstrip("-")
    return True, name


def _needed(
    fleet: Fleet,
    old: Locks,
    groups: dict[tuple[bool, str], set[Difference]],
    key: tuple[bool, str],
    judge: Judge,
) -> set[tuple[bool, str]]:
    """Give the other groups without which one cannot be taken."""
    mine = {each.key for each in groups[key]}
    locks = {**old, **take(old, groups[key])}
    chains = {target: chain for target in targets(fleet) if mine & set(chain := stack(fleet, target))}
    answers = judge([(target, contents(locks, chain)) for target, chain in chains.items()])
    found: set[tuple[bool, str]] = set()
    for chain, troubles in zip(chains.values(), answers, strict=True):
        near = {
            other: {each.name for each in some if each.key in chain}
            for other, some in groups.items()
            if other != key
        }
        for names in troubles:
            needed = {other for other, theirs in near.items() if names & theirs}
            found |= needed or {other for other, theirs in near.items() if theirs}
    return found
