"""Which images are to be built: those that are named, less those that need not be. Pure."""

from collections.abc import Collection, Iterable

from gitops.fleet.fleet import Fleet, layers
from gitops.system.errors import UserError


def asked(
    fleet: Fleet,
    architecture: str,
    names: Iterable[str] | None,
    *,
    layer: int | None = None,
    among: Collection[str] | None = None,
    without: Collection[str] = (),
) -> list[str]:
    """Give the images, parents first.

    Args:
        fleet: the definitions.
        architecture: in Debian's words; an image that is not made for it is left out unless it is named.
        names: None for all.
        layer: only those that stand so high: 1 for bases, 2 for what stands on one of them, and so on.
        among: only these; None: any.
        without: not these.

    Raises:
        UserError: there is no image of that name, or no such layer.
    """
    named = list(fleet.images if names is None else names)
    for name in named:
        fleet.image(name)
    found = layers(fleet)
    if layer is not None and layer > max(len(found), 1):
        raise UserError(f"there is no layer {layer}: the fleet's images are in {len(found)}")
    within = set(fleet.images if layer is None else found[layer - 1] if found else ())
    return [
        name
        for name in fleet.parents_first()
        if name in named
        and name in within
        and (among is None or name in among)
        and name not in without
        and (names is not None or architecture in fleet.architectures_of(name))
    ]
