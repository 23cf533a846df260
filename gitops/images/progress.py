"""How locking and building say what they are doing."""

from collections.abc import Callable

Progress = Callable[[str, str], None]
"""Called, from any thread, with an image and what is being done for it; with "", nothing is any more."""


def silent(_image: str, _doing: str) -> None:
    """Say nothing."""
