"""The report that a host is about to send, and whether a server has it already; two small files tell."""

import hashlib
from pathlib import Path

from gitops.system.files import write
from gitops.system.places import Places


def report_path(places: Places) -> Path:
    """Give where the newest report is written."""
    return places.state / "report.json"


def unsent(places: Places) -> str | None:
    """Give the newest report, as text, when no server has taken it yet; None where there is none to send."""
    try:
        text = report_path(places).read_text()
    except FileNotFoundError:
        return None
    marker = _marker(places)
    return None if marker.exists() and marker.read_text() == _digest(text) else text


def sent(text: str, places: Places) -> None:
    """Remember that a server has a report."""
    write(_marker(places), _digest(text))


def _marker(places: Places) -> Path:
    return places.state / "reported"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
