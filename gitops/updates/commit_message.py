"""A proposal's commit message: what a pull request says, as plain text, for servers that have none."""

import re
import textwrap
from collections.abc import Iterable, Iterator

from gitops.updates.escaping import defanged, disarmed, line
from gitops.updates.excerpt import Room, excerpt, rooms
from gitops.updates.find import Update, Updates
from gitops.updates.news import News
from gitops.updates.reach import about, reached, untouched
from gitops.updates.title import by_weight, moved, title
from gitops.updates.wording import count, named

_WIDTH = 72  # columns of a line, as git and forges show them best
_LONGEST = 60_000  # characters
_FULL = 66  # columns after which a line was not ended for its own sake
_BULLETS = {"*", "+", "-"}
_NAMES = 20  # instances that are named of one host


def commit_message(update: Update, updates: Updates) -> str:
    """Write a commit message: what changes, where, what stays, what the changelogs say, how to take it.

    No line has more than 72 columns. Changelogs are cut first where it would get too long.

    Args:
        update: what is proposed.
        updates: all that was found.

    Returns:
        The same text for the same update.
    """
    for room in rooms(update.news, _LONGEST):
        text = _message(update, updates, room)
        if len(text) <= _LONGEST:
            break
    return text


def _message(update: Update, updates: Updates, room: Room) -> str:
    effect, news = update.effect, by_weight(update.news)
    told, findings = news[: room.sources], about(effect, update.name, updates.findings)
    built = [
        f"{each.image} ({', '.join(each.architectures)})"
        + (f", because {each.parent} is" if each.parent else "")
        for each in effect.rebuilt
    ]
    hosts = [
        f"{each.host}: {count(len(each.instances), 'instance')} of {each.app}, {each.batch} at a time:"
        f" {named(each.instances, _NAMES)}"
        for each in reached(effect.restarted)
    ]
    held = [line(defanged(str(finding))) for finding in findings]
    parts = [
        title(effect, update.news, _WIDTH),
        _part(
            "Packages, by source",
            [each for one in told for each in _packages(one, room)] + _rest(len(news) - len(told)),
        ),
        _part("Images built again", _wrapped(_shown(built, room.names))),
        _part("Instances that restart", _wrapped(_shown(hosts, room.names)) or ["none"]),
        _part(
            "Not affected",
            _wrapped(
                [
                    f"images: {named(effect.kept_images, room.names) or 'none'}",
                    f"instances: {len(untouched(effect)) or 'none'}",
                ]
            ),
        ),
        _part("Stays behind", _wrapped(_shown(held, room.names))),
        *(_part(f"Changelog of {each.source}", _changelog(each, room)) for each in told if each.entries),
        _part("To take it", [f"gitops update --merge {update.branch}"]),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _packages(news: News, room: Room) -> list[str]:
    suites = ", ".join(dict.fromkeys(package.suite for package in news.packages))
    known = (
        f"urgency {news.urgency}" if news.urgency else "",
        named(news.cves, room.numbers),
        f"Debian bugs {named([str(bug) for bug in news.bugs], room.numbers)}" if news.bugs else "",
        f"no changelog: {line(defanged(news.missing))}" if news.missing else "",
    )
    under = [*filter(None, known), " ".join(package.name for package in news.packages)]
    return [
        *_wrapped([f"{news.source} {moved(news)} from {suites}"]),
        *(f"  {each}" for text in under for each in _wrapped([text], _WIDTH - 4)),
    ]


def _changelog(news: News, room: Room) -> Iterator[str]:
    """Give the lines of a changelog, each wrapped under where its words begin."""
    text, left = excerpt(news, room.characters)
    for each in _joined(defanged(text).split("\n")) if text else ():
        indent = " " * min(_begin(each), _WIDTH // 2)
        wrapped = textwrap.wrap(each, _WIDTH - 4, subsequent_indent=indent, break_on_hyphens=False) or [""]
        yield from disarmed("\n".join(wrapped)).split("\n")
    if left:
        yield f"({count(left, 'line')} more)"


def _joined(lines: Iterable[str]) -> list[str]:
    """Join lines that were one and were broken for want of room; they are broken anew, for less of it."""
    found: list[str] = []
    last = 0  # columns of the line before
    for each in lines:
        words = each.split()
        full = words and last + len(words[0]) >= _FULL
        if full and _begin(each) == _begin(found[-1]) and words[0] not in _BULLETS:
            found[-1] += f" {each.strip()}"
        else:
            found.append(each)
        last = len(each)
    return found


def _begin(text: str) -> int:
    """Tell in which column the words of a line begin, after a bullet."""
    begin = re.match(r"\s*(?:[*+-]\s+)?", text)
    return len(begin[0]) if begin else 0


def _shown(lines: list[str], most: int) -> list[str]:
    return lines[:most] + _rest(len(lines) - most)


def _rest(number: int) -> list[str]:
    return [f"and {number:,} more"] if number > 0 else []


def _wrapped(lines: Iterable[str], width: int = _WIDTH - 2) -> list[str]:
    return [
        part
        for each in lines
        for part in textwrap.wrap(each, width, subsequent_indent="  ", break_on_hyphens=False)
    ]


def _part(heading: str, lines: Iterable[str]) -> str:
    told = [f"  {each}".rstrip() for each in lines]
    return "\n".join([f"{heading}:", *told]) if told else ""
