"""Delivering what people are to hear, to those whom fleet.yaml names, without any secret of this host."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from gitops.agent.generation import current
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.report.delivery import Rules, deliver
from gitops.secrets.age import decrypt
from gitops.secrets.hiding import hide
from gitops.secrets.hosts import secret_path
from gitops.system.places import Places


def tell_everyone(places: Places) -> list[str]:
    """Deliver what is due; give what could not be told to whom, a line each.

    Raises:
        UserError: this host runs no fleet yet.
    """
    fleet = load(current(places).path)
    said = fleet.settings.notifications

    def told(kind: str) -> tuple[str, ...]:
        return said.told(kind) if kind else said.everybody

    rules = Rules(told, said.per_hour)
    return deliver(
        places, _receivers(fleet, places), lambda text: hide(text, places.runtime / "secrets"), rules
    )


def _receivers(fleet: Fleet, places: Places) -> dict[str, Callable[[], str]]:
    """Give what decrypts the URL of each receiver of notifications, by the secret's name."""
    identity = places.config / "age.key"
    return {
        name: partial(_url, secret_path(fleet.root, name), identity)
        for name in fleet.settings.notifications.everybody
    }


def _url(path: Path, identity: Path) -> str:
    return decrypt(path, identity).decode(errors="replace")
