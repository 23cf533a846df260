"""Which images a registry has, each with its statement: one question, however many they are."""

from collections.abc import Iterable

from gitops.registry.registry import Registry


def present(registry: Registry, references: Iterable[str]) -> frozenset[str]:
    """Give those images that a registry has in full.

    Statements of all images are in one repository, tagged with the identities that they are about, and each
    comes after its image. So one list of tags tells; nobody's signature is looked at here.

    Args:
        registry: where.
        references: names as `gitops.images.identity` gives them, REGISTRY/IMAGE:IDENTITY.

    Raises:
        AwayError: the registry does not answer.
        UserError: it refuses.
    """
    wanted = list(references)
    known = set(registry.tags(registry.address.statements)) if wanted else set()
    return frozenset(reference for reference in wanted if reference.rpartition(":")[2] in known)
