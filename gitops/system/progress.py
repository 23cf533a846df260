"""How what takes long says what it is doing, and how far it is."""

from typing import NamedTuple, Protocol


class Amount(NamedTuple):
    """How much of something is done.

    Args:
        done: so much.
        total: of so much; None: nobody knows.
        unit: of both: `B` for bytes, otherwise what is counted: `steps`, `instances`.
    """

    done: float
    total: float | None
    unit: str


class Progress(Protocol):
    """What is told, from any thread."""

    def __call__(self, name: str, doing: str, amount: Amount | None = None, /) -> None:
        """Take what is being done for something, an image or a host; with "", nothing is any more."""


def silent(_name: str, _doing: str, _amount: Amount | None = None, /) -> None:
    """Say nothing."""
