"""The one line that says it all."""

from collections.abc import Sequence

from gitops.updates.effect import Effect
from gitops.updates.news import News, rank
from gitops.updates.wording import count


def title(effect: Effect, news: Sequence[News], most: int = 120) -> str:
    """Write `openssl 3.5.6-1 → 3.5.7-1~deb13u3: 4 CVEs, high; 6 images, 100 instances`.

    What matters most is named first. An urgency is named from high on, since medium is what every upload says
    that says nothing.

    Args:
        effect: what changes.
        news: what is new in each source package.
        most: how many characters it may have.
    """
    images, instances = len(effect.rebuilt), len({(place.host, place.instance) for place in effect.restarted})
    reach = f"{count(images, 'image')}, {count(instances, 'instance')}"
    said = ", ".join(_said(news))
    tail = f": {said}; {reach}" if said else f": {reach}"
    for names in _names(news):
        if len(names) + len(tail) <= most:
            return names + tail
    return f"{count(len(_sources(news)), 'source package')}{tail}"[:most]


def by_weight(news: Sequence[News]) -> list[News]:
    """Sort news: what is urgent first, then what has many CVEs, then by name."""
    return sorted(
        news,
        key=lambda each: (each.withdrawn, -rank(each.urgency), -len(each.cves), each.source, each.new or ""),
    )


def moved(news: News) -> str:
    """Write which version takes the place of which: `3.5.6-1 → 3.5.7-1`."""
    if news.old is None:
        return f"{news.new} comes in"
    if news.new is None:
        return f"{news.old} goes"
    return f"{news.old} → {news.new}{' (withdrawn)' if news.withdrawn else ''}"


def _sources(news: Sequence[News]) -> list[str]:
    return list(dict.fromkeys(each.source for each in by_weight(news)))


def _names(news: Sequence[News]) -> list[str]:
    """Give ways to name what changes, the best first."""
    sources = _sources(news)
    if not sources:
        return ["Packages published again under the same version"]
    if len(sources) > 1:
        ways = [
            f"{', '.join(sources[:shown])} and {len(sources) - shown} more"
            for shown in range(min(len(sources) - 1, 3), 0, -1)
        ]
        return ([" and ".join(sources)] if len(sources) == 2 else []) + ways  # noqa: PLR2004 - a pair
    versions = ", ".join(moved(each) for each in by_weight(news))
    newest = [f"{sources[0]} {news[0].new}"] if len(news) == 1 and news[0].new else []
    return [f"{sources[0]} {versions}", *newest, f"{sources[0]} in {count(len(news), 'version')}", sources[0]]


def _said(news: Sequence[News]) -> list[str]:
    taken = [each for each in news if not each.withdrawn]
    cves = {cve for each in taken for cve in each.cves}
    urgency = max((each.urgency for each in taken), key=rank, default="")
    back = len(news) - len(taken)
    return [
        *([count(len(cves), "CVE")] if cves else []),
        *([urgency] if rank(urgency) >= rank("high") else []),
        *([f"{back} withdrawn"] if back and len(news) > 1 else []),
    ]
