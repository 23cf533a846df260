"""A pull request's text, in Markdown that says the same and does nothing more on every forge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateError

from gitops.render.templates import template
from gitops.system.errors import UserError
from gitops.updates.escaping import code, fenced, markup, strong
from gitops.updates.excerpt import Room, excerpt, rooms
from gitops.updates.find import Update, Updates
from gitops.updates.news import News, rank
from gitops.updates.reach import Reached, about, reached, spared, untouched
from gitops.updates.title import by_weight, moved
from gitops.updates.wording import count, named

_TEMPLATE = "pull-request.md.j2"
_LONGEST = 60_000  # characters; GitHub takes 65,536, and a marker is still to come
_IN_A_CELL = 3  # names in a cell of a table
_IN_A_LINE = 5  # instances that are named of one host
_TRACKER = "https://security-tracker.debian.org/tracker"
_BUGS = "https://bugs.debian.org"


@dataclass(frozen=True)
class Row:
    """A line of the table of packages; every field is Markdown."""

    source: str
    packages: str
    version: str
    suite: str
    urgency: str
    cves: str
    images: str
    instances: str


@dataclass(frozen=True)
class Change:
    """What is new in one source package; `heading` is HTML, the other fields are Markdown or empty."""

    heading: str
    packages: str
    cves: str
    bugs: str
    note: str
    changelog: str
    cut: str


def body(fleet_root: Path, update: Update, updates: Updates) -> str:
    """Write the text of a pull request; what is longer than a forge takes is cut, changelogs first.

    Args:
        fleet_root: the fleet, whose `templates/pull-request.md.j2` goes before the one that ships.
        update: what is proposed.
        updates: all that was found.

    Returns:
        Markdown of at most 60,000 characters, the same for the same update.

    Raises:
        UserError: the fleet's template cannot be used, or writes too much.
    """
    layout = template(fleet_root, _TEMPLATE)
    try:
        for room in rooms(update.news, _LONGEST):
            text = layout.render(_values(update, updates, room))
            if len(text) <= _LONGEST:
                return text
    except TemplateError as error:
        raise UserError(f"cannot be filled in: {error}", file=f"templates/{_TEMPLATE}") from error
    raise UserError(f"writes more than {_LONGEST:,} characters", file=f"templates/{_TEMPLATE}")


def _values(update: Update, updates: Updates, room: Room) -> dict[str, object]:
    effect, news = update.effect, by_weight(update.news)
    hosts = reached(effect.restarted)
    findings = about(effect, update.name, updates.findings)
    heaviest = news[0] if news else None
    return {
        "facts": _facts(update, hosts),
        "rows": [_row(each) for each in news[: room.sources]],
        "changes": [_change(each, room) for each in news[: room.sources]],
        "more_sources": max(0, len(news) - room.sources),
        "images": [
            (code(each.image), ", ".join(each.architectures), code(each.parent or ""))
            for each in effect.rebuilt[: room.names]
        ],
        "more_images": max(0, len(effect.rebuilt) - room.names),
        "hosts": [
            (
                *(code(each.host), code(each.app), len(each.instances)),
                *(_codes(each.instances, _IN_A_LINE), each.batches, each.batch),
            )
            for each in hosts[: room.names]
        ],
        "more_hosts": max(0, len(hosts) - room.names),
        "kept_images": _codes(effect.kept_images, 2 * _IN_A_LINE),
        "kept_instances": _instances(len(untouched(effect))),
        "kept_services": _codes(spared(effect), 2 * _IN_A_LINE),
        "try_on": code(hosts[0].host) if hosts else "",
        "remote": updates.settings.remote,
        "branch": update.branch,
        "source": heaviest.source if heaviest else "",
        "version": (heaviest.new or heaviest.old) if heaviest else "",
        "findings": [(code(each.subject), code(each.reason)) for each in findings[: room.names]],
        "more_findings": max(0, len(findings) - room.names),
    }


def _facts(update: Update, hosts: Sequence[Reached]) -> list[str]:
    """Give what a reader wants to know first, a line each."""
    taken = [each for each in update.news if not each.withdrawn]
    cves = {cve for each in taken for cve in each.cves}
    urgency = max((each.urgency for each in taken), key=rank, default="")
    back = [each.source for each in update.news if each.withdrawn]
    running = sum(len(each.instances) for each in hosts)
    fixed = f"**{count(len(cves), 'CVE')}**" if cves else "No CVE named"
    restart = f"**{_instances(running)}** on {count(len({each.host for each in hosts}), 'host')} restart"
    return [
        fixed + (f", urgency **{urgency}**" if rank(urgency) >= rank("high") else ""),
        f"**{count(len(update.effect.rebuilt), 'image')}** built again",
        restart if running else "nothing restarts",
        *([f"Debian took back {_codes(back, _IN_A_LINE)}: the version goes **down**"] if back else []),
    ]


def _row(news: News) -> Row:
    names = [package.name for package in news.packages]
    images = sorted({image for package in news.packages for image in package.images})
    instances = {instance for package in news.packages for instance in package.instances}
    suites = dict.fromkeys(package.suite.partition("/")[2] for package in news.packages)
    return Row(
        source=strong(news.source),
        packages="" if names == [news.source] else _codes(names, _IN_A_CELL),
        version=_version(news),
        suite=_codes(list(suites), _IN_A_CELL),
        urgency=_urgency(news),
        cves=f"{len(news.cves)}" if news.cves else "",
        images=_codes(images, _IN_A_CELL) if len(images) <= _IN_A_CELL else f"{len(images):,}",
        instances=f"{len(instances):,}" if instances else "",
    )


def _version(news: News) -> str:
    if news.old is None or news.new is None:
        return f"{code(news.new or news.old or '')} {'goes' if news.old else 'comes in'}"
    return f"{code(news.old)}<br>→&nbsp;{code(news.new)}"


def _urgency(news: News) -> str:
    if news.withdrawn:
        return "**withdrawn**"
    return f"**{news.urgency}**" if rank(news.urgency) >= rank("high") else news.urgency


def _change(news: News, room: Room) -> Change:
    text, left = excerpt(news, room.characters)
    facts = [moved(news), count(len(news.cves), "CVE") if news.cves else "", news.urgency]
    return Change(
        heading=f"<b>{markup(news.source)}</b> {markup(', '.join(filter(None, facts)))}",
        packages=", ".join(_packages(news)),
        cves=_links(news.cves, _TRACKER, room.numbers),
        bugs=_links(list(map(str, news.bugs)), _BUGS, room.numbers),
        note=f"No changelog: {code(news.missing)}" if news.missing else "",
        changelog=fenced(text) if text else "",
        cut=f"{count(left, 'line')} more: `apt changelog {news.source}`" if left else "",
    )


def _packages(news: News) -> Iterator[str]:
    for package in news.packages:
        if package.old and package.new:
            same = (package.old, package.new) == (news.old, news.new)
            yield code(package.name) + ("" if same else f" {code(package.old)} → {code(package.new)}")
        else:
            yield f"{code(package.name)} ({'goes' if package.old else 'new'})"


def _codes(names: Sequence[str], most: int) -> str:
    return named([code(name) for name in names], most)


def _links(names: Sequence[str], where: str, most: int) -> str:
    """Link numbers, which are nothing but letters, digits and hyphens, to their pages."""
    return named([f"[{name}]({where}/{name})" for name in names], most)


def _instances(number: int) -> str:
    return count(number, "instance") if number else ""
