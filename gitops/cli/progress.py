"""What is being done for each image, shown on a terminal while it takes its time; nothing anywhere else."""

import sys
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitops.images.progress import Progress


@contextmanager
def shown() -> "Iterator[Progress]":
    """Give what `gitops.images` calls with an image and what is being done for it."""
    from gitops.images.progress import silent

    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks, lock = {}, Lock()

        def tell(image: str, doing: str) -> None:
            with lock:
                if doing and image not in tasks:
                    tasks[image] = bar.add_task("")
                if doing:
                    line = " ".join(doing.split())[:80]
                    bar.update(tasks[image], description=escape(f"{image}: {line}"))
                elif image in tasks:
                    bar.remove_task(tasks.pop(image))

        yield tell
