"""The overview of a thousand instances in Chromium: how soon something is seen, and how large the page is."""

import statistics

from bench.figure import BenchError, Figure, Limit
from bench.thousand import thousand
from gitops.view.pages import write_pages
from tests.view.browser import Look, looks

_MOST = 0.5
_TIMES = 5


def measure() -> Figure:
    with thousand() as made:
        write_pages(made.changed, made.directory, made.places)
        page = made.directory / "index.html"
        size = page.stat().st_size
        seen = looks([Look(page.as_uri())] * (_TIMES + 1))[1:]
    told = [one["paint"] for one in seen if one["paint"] is not None]
    if len(told) <= _TIMES // 2:
        raise BenchError("Chromium did not tell when it painted first")
    paint = statistics.median(told) / 1000
    return Figure(
        "overview of 1,000 instances in Chromium, first paint", f"{_MOST:g} s", paint, _MOST, 1.0,
        Limit(size / 1000, 500, "kB"),
    )  # fmt: skip
