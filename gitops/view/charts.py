"""How long something took, run by run, as a small chart: one SVG of two lines, which says itself in words."""

from collections.abc import Sequence

from markupsafe import Markup

from gitops.report.history import GOOD, Run

RUNS = 30
"""How many runs a chart has."""

_STEP = 4
_HEIGHT = 24
_FOOT = 3


def chart(runs: Sequence[Run]) -> Markup:
    """Draw the newest runs.

    Args:
        runs: the newest first; those that were skipped are left out.
    """
    shown = [one for one in runs if one.outcome != "skipped"][:RUNS][::-1]
    if not shown:
        return Markup("")
    longest = max(one.seconds for one in shown) or 1
    base = _HEIGHT - _FOOT
    good, bad = [], []
    for index, one in enumerate(shown):
        x, height = index * _STEP + 2, max(1, round(one.seconds / longest * (base - 1)))
        if one.outcome in GOOD:
            good.append(f"M{x} {base}v-{height}")
        else:
            bad.append(f"M{x} {base}v-{height}M{x} {_HEIGHT}v-2")
    lines = [f'<path class="{name}" d="{"".join(d)}"/>' for name, d in (("g", good), ("b", bad)) if d]
    width = RUNS * _STEP
    # All of it is made here, of numbers.
    return Markup(  # noqa: S704
        f'<svg width="{width}" height="{_HEIGHT}" stroke-width="3" role="img" aria-label="{_words(shown)}">'
        f'<path class="l" stroke-width="1" d="M0 {base}.5h{width}"/>{"".join(lines)}</svg>'
    )


def took(seconds: float) -> str:
    """Say how long something took: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:  # noqa: PLR2004  # below, tenths tell something
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004  # a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004  # an hour


def _words(runs: Sequence[Run]) -> str:
    bad = sum(one.outcome not in GOOD for one in runs)
    times = sorted(one.seconds for one in runs)
    went = f"{bad} went wrong" if bad else "all went well"
    span = f"{took(times[0])} to {took(times[-1])}"
    return f"{len(runs)} runs, {went}; {span}, the newest {took(runs[-1].seconds)}"
