"""What the update bot found the last time that it looked from this machine: `STATE/updates.json`.

`gitops update` leaves it there whenever it has looked. It is only told from here: losing it means that nobody
hears of updates until the bot looks again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from gitops.system.clock import stamp
from gitops.system.files import write
from gitops.system.places import Places

VERSION = 1


@dataclass(frozen=True)
class Waiting:
    """A package that has a newer version than the locks.

    Args:
        group: the group of packages that it is merged with; empty where all go together.
        security: whether it comes from a security suite.
        source: its source package.
        package: its name.
        old: the version that the locks have; empty for one that comes in.
        new: the version that waits; empty for one that goes.
        suite: `archive/suite` that it comes from.
        urgency: the changelog's word.
        cves: what its changelog says is mended by it.
        images: the images whose lock names it.
        since: when the bot first found it, UTC.
        changelog: what its entries say, plain text of several lines.
    """

    group: str
    security: bool
    source: str
    package: str
    old: str
    new: str
    suite: str
    urgency: str
    cves: tuple[str, ...]
    images: tuple[str, ...]
    since: datetime
    changelog: str = ""


@dataclass(frozen=True)
class Found:
    """What was found.

    Args:
        looked: when, UTC.
        base: the commit that was looked at.
        waiting: sorted as the bot sorts it: security first.
    """

    looked: datetime
    base: str
    waiting: tuple[Waiting, ...]


def keep(document: Mapping[str, Any], at: datetime, places: Places) -> None:
    """Remember what the bot has found.

    Args:
        document: as `gitops update --json` prints it (gitops.updates.report).
        at: the present time.
        places: this machine's directories.
    """
    before = known(places)
    first = {(one.package, one.new): one.since for one in before.waiting} if before else {}
    told = [
        {**asdict(one), "since": stamp(first.get((one.package, one.new), at))}
        for update in document["updates"]
        for one in _of(update, at)
    ]
    content = {"version": VERSION, "looked": stamp(at), "base": document["base"], "waiting": told}
    write(places.state / "updates.json", json.dumps(content, indent=1), durable=False)


def known(places: Places) -> Found | None:
    """Give what was found the last time; None where nothing is known."""
    try:
        told = json.loads((places.state / "updates.json").read_text())
        if told["version"] != VERSION:
            return None
        return Found(_time(told["looked"]), told["base"], tuple(map(_waiting, told["waiting"])))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def still(one: Waiting, versions: Mapping[str, str]) -> bool:
    """Tell whether an image of these packages still waits for it: somebody may have merged it meanwhile."""
    return versions.get(one.package, "") == one.old


def _of(update: Mapping[str, Any], at: datetime) -> list[Waiting]:
    said = {name: news for news in update["sources"] for name in news["packages"]}
    found = []
    for package in update["packages"]:
        news = said.get(package["name"], {})
        entries = (f"{entry['version']}\n{entry['text']}" for entry in news.get("changelog", ()))
        found.append(
            Waiting(
                update["name"],
                update["security"],
                package["source"],
                package["name"],
                package["old"] or "",
                package["new"] or "",
                package["suite"],
                news.get("urgency", ""),
                tuple(news.get("cves", ())),
                tuple(package["images"]),
                at,
                "\n".join(entries) if news.get("packages", [None])[0] == package["name"] else "",
            )
        )
    return found


def _waiting(told: dict[str, Any]) -> Waiting:
    return Waiting(
        **{
            **told,
            "cves": tuple(told["cves"]),
            "images": tuple(told["images"]),
            "since": _time(told["since"]),
        }
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
