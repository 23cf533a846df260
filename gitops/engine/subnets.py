"""Addresses for networks beyond the about thirty for which an engine's own pools have room."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, collapse_addresses
from pathlib import Path

_POOLS = tuple(IPv4Network(f"10.{second}.0.0/16") for second in range(213, 224))
"""Where to look: private (RFC 1918), and far from what people and Docker number first."""

_PREFIX = 26  # 61 containers a network; 1,024 networks a pool
_ROUTES = Path("/proc/net/route")


def free_subnet(taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """Give a subnet that overlaps nothing; None when all pools are full.

    Args:
        taken: the subnets of other networks, and what the host has routes to.
    """
    used = list(collapse_addresses(taken))
    for pool in _POOLS:
        near = [one for one in used if one.overlaps(pool)]
        for subnet in pool.subnets(new_prefix=_PREFIX):
            if not any(one.overlaps(subnet) for one in near):
                return subnet
    return None


def routed(table: Path = _ROUTES) -> Iterator[IPv4Network]:
    """Give the networks that the host has routes to, but for the default one, from proc_net(5)."""
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        address, mask = (int.from_bytes(bytes.fromhex(fields[at]), "little") for at in (1, 7))
        if mask:
            yield IPv4Network((address, mask.bit_count()))
