"""A step of building the wheel, hatchling's custom hook: manual pages are made of the verbs and put in it."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface[Any]):
    """What hatchling calls."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages below the build's directory; a checkout that is merely linked needs none."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from gitops.cli.manual import write_pages  # noqa: PLC0415  # found through the line above

        pages = Path(self.directory) / "man"
        write_pages(pages)
        build_data["shared_data"][str(pages)] = "share/man/man1"
