"""A folder of pages: only what changed is written, only what this program wrote is replaced or removed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.files import write

LISTING = ".gitops-pages.json"
_VERSION = 1


@dataclass(frozen=True)
class Page:
    """A page.

    Args:
        path: below the folder, as `instances/alice.html`.
        key: the same for as long as the page would be the same.
        content: makes it.
    """

    path: str
    key: str
    content: Callable[[], bytes]


class Folder:
    """A folder, and what it has from before.

    Args:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        """Read what the folder has; raises UserError where it is no folder."""
        if path.exists() and not path.is_dir():
            raise UserError("is no directory", file=path)
        self.path = path
        self.keys, self.charts = _read(path / LISTING)

    def update(self, pages: Mapping[str, Page], charts: Mapping[str, tuple[str, str]]) -> list[str]:
        """Write what changed, and remove pages of what is gone; give their paths.

        Args:
            pages: all pages, by path.
            charts: charts by name, each with its key: kept for the next time.

        Raises:
            UserError: a file stands in the way that this program did not write.
        """
        known = self.keys
        foreign = [one for one in pages if one not in known and (self.path / one).exists()]
        if foreign:
            raise UserError(
                "was not written by gitops, and would be replaced",
                file=self.path / foreign[0],
                hint="name an empty directory, or one that only gitops writes to",
            )
        changed = [one for one in pages.values() if known.get(one.path) != one.key]
        gone = [one for one in known if one not in pages]
        if not changed and not gone:
            return []
        # Said before it is done: what a kill leaves half written is known to be ours, and is written again.
        kept = {path: key for path, key in known.items() if path in pages}
        if gone or any(one.path not in known for one in changed):
            self._keep({**dict.fromkeys((*gone, *pages), ""), **kept}, charts)
        for one in changed:
            write(self.path / one.path, one.content(), durable=False)
        for path in gone:
            (self.path / path).unlink(missing_ok=True)
        self._keep({path: one.key for path, one in pages.items()}, charts)
        return [one.path for one in changed] + gone

    def _keep(self, keys: Mapping[str, str], charts: Mapping[str, tuple[str, str]]) -> None:
        content = {"version": _VERSION, "pages": keys, "charts": charts}
        write(self.path / LISTING, json.dumps(content), durable=False)


def _read(path: Path) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    try:
        told = json.loads(path.read_text())
        if told["version"] != _VERSION:
            raise ValueError("another gitops wrote it")  # noqa: TRY301  # told as every fault below is
        keys = {name: str(key) for name, key in told["pages"].items() if _ours(name)}
        return keys, {name: (str(key), str(made)) for name, (key, made) in told["charts"].items()}
    except FileNotFoundError:
        return {}, {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"cannot be read: {error}", file=path, hint="remove the folder; it is made anew"
        ) from error


def _ours(name: str) -> bool:
    """Tell whether it is a path that a page of ours can have, whoever has written the listing."""
    parts = Path(name).parts
    places = ("instances", "images", "hosts")
    within = len(parts) == 1 or (len(parts) == 2 and parts[0] in places)  # noqa: PLR2004  # DIR/PAGE.html
    return (
        within
        and name.endswith(".html")
        and "\0" not in name
        and ".." not in parts
        and not name.startswith("/")
    )
