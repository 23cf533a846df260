"""What a CI system's module has."""

from typing import Protocol

from gitops.render.pipeline import Pipeline
from gitops.render.templates import Layout


class System(Protocol):
    """A CI system."""

    @property
    def FILES(self) -> tuple[str, ...]:  # noqa: N802  # a module's constant
        """Where it looks, below the fleet: everything that `render` may give."""

    def render(self, pipeline: Pipeline, layout: Layout) -> dict[str, str]:
        """Give path to text, without our mark.

        Args:
            pipeline: what is to be done.
            layout: fills in a template by its name.
        """
