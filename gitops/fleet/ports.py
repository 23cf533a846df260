"""Which instances of a host want the same port of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from gitops.fleet.apps import App
from gitops.fleet.wording import Fault


@dataclass(frozen=True)
class Taken:
    """A port of a host that a service publishes: the index is that of the service's `ports`."""

    instance: str
    service: str
    index: int
    address: str
    port: int
    protocol: str

    def __str__(self) -> str:
        """Give it as Compose writes it, `127.0.0.1:80/tcp`."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}{':' if address else ''}{self.port}/{self.protocol}"


def port_faults(apps: dict[str, App]) -> Iterator[tuple[str, str, Fault]]:
    """Tell which ports two services of one host both want.

    Args:
        apps: the host's instances, in the order in which it names them; the later one is to blame.

    Yields:
        The instance to blame, the one that had the port before, and the fault, placed in the app's document.
    """
    taken: dict[tuple[str, int], list[Taken]] = {}
    for wanted in _published(apps):
        others = taken.setdefault((wanted.protocol, wanted.port), [])
        other = next((each for each in others if meet(each.address, wanted.address)), None)
        others.append(wanted)
        if other:
            message = (
                f"{wanted.instance}/{wanted.service} publishes {wanted}, "
                f"which {other.instance}/{other.service} has"
                + ("" if str(other) == str(wanted) else f" ({other})")
            )
            at = ("services", wanted.service, "ports", wanted.index)
            yield wanted.instance, other.instance, Fault(at, message)


def _published(apps: dict[str, App]) -> Iterator[Taken]:
    for instance, app in apps.items():
        for service, definition in app.services.items():
            for index, port in enumerate(definition.ports):
                for published, _ in port.pairs():
                    if published is not None:
                        yield Taken(instance, service, index, port.host_ip, published, port.protocol)


def meet(one: str, other: str) -> bool:
    """Tell whether two addresses share ports: none means all of them, 0.0.0.0 and :: all of a family."""
    if one == other or not one or not other:
        return True
    first, second = ip_address(one), ip_address(other)
    return first == second or (
        first.version == second.version and (first.is_unspecified or second.is_unspecified)
    )
