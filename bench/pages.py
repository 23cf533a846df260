"""Writing the pages of a thousand instances: all new, against what is promised."""

import shutil
import statistics
import time
from functools import cache

from bench.figure import Figure
from bench.thousand import thousand
from gitops.view.pages import write_pages

_NEW = 3.0
_CHANGED = 0.3
_TIMES = 5


def measure() -> Figure:
    return Figure("pages for 1,000 instances, all new", f"{_NEW:g} s", written()[0], _NEW, 1.0)


@cache
def written() -> tuple[float, float]:
    """Give what it takes to write all pages, and those that differ when one instance does; seconds."""
    new, changed = [], []
    with thousand() as made:
        for _ in range(_TIMES):
            shutil.rmtree(made.directory, ignore_errors=True)
            begun = time.perf_counter()
            write_pages(made.view, made.directory, made.places)
            between = time.perf_counter()
            write_pages(made.changed, made.directory, made.places)
            new.append(between - begun)
            changed.append(time.perf_counter() - between)
    return statistics.median(new), statistics.median(changed)


def changed() -> Figure:
    """Measure one that changed."""
    return Figure("pages for 1,000 instances, one changed", f"{_CHANGED:g} s", written()[1], _CHANGED, 1.0)
