"""Taking away what a registry holds for nobody; what cannot be accounted for stays."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from gitops.registry.holdings import Holding, Holdings
from gitops.registry.registry import Registry


@dataclass(frozen=True)
class Garbage:
    """What may go, and what stays although nothing needs it.

    Args:
        images: what goes, with its statement.
        tags: images without a statement that go: repository and tag.
        spared: REPOSITORY:TAG to the reason why it stays.
    """

    images: tuple[Holding, ...]
    tags: tuple[tuple[str, str], ...]
    spared: Mapping[str, str]

    def __bool__(self) -> bool:
        """Tell whether anything may go."""
        return bool(self.images or self.tags)


def garbage(
    registry: Registry, held: Holdings, needed: Collection[str], before: datetime, *, unvouched: bool
) -> Garbage:
    """Work out what may go.

    A removal takes a manifest with every tag that names it; so what has a tag that stays has to stay.

    Args:
        registry: asked which digests tags have that are none of ours.
        held: what it holds.
        needed: the identities that anybody needs.
        before: what was said later is spared: its commit may not have come here yet.
        unvouched: take images without a statement, too.
    """
    spared: dict[str, str] = {}
    going: list[Holding] = []
    for one in held.images:
        name = f"{registry.address.repository(one.said.image)}:{one.identity}"
        if one.identity in needed:
            continue
        if datetime.fromisoformat(one.said.time) > before:
            spared[name] = f"pushed at {one.said.time}, not long ago"
        else:
            going.append(one)
    loose = [pair for pair in held.unvouched if pair[1] not in needed]
    tags = list(loose) if unvouched else []
    if not unvouched:
        spared |= {
            f"{repository}:{tag}": "no statement vouches for it (--unvouched)" for repository, tag in loose
        }
    staying = _staying(registry, held, {one.identity for one in going}, set(tags))
    for one in [each for each in going if each.said.digest in staying]:
        going.remove(one)
        name = f"{registry.address.repository(one.said.image)}:{one.identity}"
        spared[name] = f"{staying[one.said.digest]} is the same"
    for pair in [each for each in tags if registry.digest(*each) in staying]:
        tags.remove(pair)
        spared[":".join(pair)] = "something that stays is the same"
    return Garbage(tuple(going), tuple(tags), spared)


def remove(registry: Registry, found: Garbage, tell: Callable[[str], None]) -> None:
    """Take it away, each statement before its image: what is half gone has nobody's word any more.

    Raises:
        AwayError: the registry does not answer.
        UserError: it refuses; what has gone is gone.
    """
    for one in found.images:
        repository = registry.address.repository(one.said.image)
        registry.remove(registry.address.statements, one.stored.digest)
        tagged = registry.digest(repository, one.identity)
        if tagged == one.said.digest:
            registry.remove(repository, tagged)
        tell(f"removed {repository}:{one.identity}")
    for repository, tag in found.tags:
        if digest := registry.digest(repository, tag):  # else it went with another tag of the same
            registry.remove(repository, digest)
        tell(f"removed {repository}:{tag}")


def _staying(
    registry: Registry,
    held: Holdings,
    going: Collection[str],
    tags: Collection[tuple[str, str]],
) -> dict[str, str]:
    """Give the digests of what stays, and what that is; in repositories from which something goes."""
    names = {one.identity: registry.address.repository(one.said.image) for one in held.images}
    touched = {names[identity] for identity in going} | {repository for repository, _ in tags}
    staying = {
        one.said.digest: f"{names[one.identity]}:{one.identity}"
        for one in held.images
        if one.identity not in going
    }
    others = [(repository, tag) for repository, _, tag in (name.rpartition(":") for name in held.foreign)]
    others += [pair for pair in held.unvouched if pair not in tags]
    for repository, tag in others:
        if repository in touched and (digest := registry.digest(repository, tag)):
            staying[digest] = f"{repository}:{tag}"
    return staying
