"""A view of a thousand instances, each with a job, a backup and a drill, and its pages in a folder."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops.system.places import Places, places
from gitops.view.view import View
from tests.view.made import instance, ran, update, view

COUNT = 1000


@dataclass(frozen=True)
class Thousand:
    """A thousand instances.

    Args:
        view: all of them well.
        changed: the same, but that one is not.
        directory: where pages go.
        places: the host's directories.
    """

    view: View
    changed: View
    directory: Path
    places: Places


@contextmanager
def thousand() -> Iterator[Thousand]:
    """Make them, with some history."""
    with tempfile.TemporaryDirectory(prefix="gitops-bench-") as made:
        before = os.environ.get("GITOPS_ROOT")
        os.environ["GITOPS_ROOT"] = f"{made}/host"
        here = places()
        if before is None:
            del os.environ["GITOPS_ROOT"]
        else:
            os.environ["GITOPS_ROOT"] = before
        root = Path(made, "fleet")
        root.mkdir()
        names = [f"shop-{number:04}" for number in range(COUNT)]
        well = [instance(name, job=ran(here, name, "tick", runs=10)) for name in names]
        other = instance(names[-1], problem="no answer on port 80", job=well[-1].jobs[0].last)
        yield Thousand(
            view(root, well, waiting=(update(),)),
            view(root, [*well[:-1], other], waiting=(update(),)),
            Path(made, "pages"),
            here,
        )
