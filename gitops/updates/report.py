"""What was found, for programs as a document and for a terminal as rows; all of it safe to print."""

from dataclasses import asdict
from typing import Any

from gitops.system.clock import stamp
from gitops.updates.escaping import line, plain
from gitops.updates.find import Update, Updates
from gitops.updates.news import News
from gitops.updates.title import by_weight, title
from gitops.updates.wording import named

COLUMNS = ("source", "package", "old", "new", "suite", "urgency", "CVEs", "images", "instances", "hosts")
_NAMED = 3  # names in a cell


def document(updates: Updates) -> dict[str, Any]:
    """Give all that was found as values of JSON.

    Returns:
        `base`, the commit; `updates`, one for each group; `findings`, what stays behind, and why. Times are
        RFC 3339 in UTC.
    """
    return {
        "base": updates.base,
        "updates": [_update(update) for update in updates.updates],
        "findings": [
            {"subject": line(finding.subject), "reason": line(finding.reason)} for finding in updates.findings
        ],
    }


def rows(update: Update) -> list[tuple[str, ...]]:
    """Give the rows of a table under COLUMNS: a package each, those of one source together.

    What matters most stands first; a source package is named where its rows begin.
    """
    found = []
    for news in by_weight(update.news):
        source = news.source
        for package in news.packages:
            hosts = sorted({instance.partition("@")[2] for instance in package.instances})
            cells = (
                source,
                package.name,
                package.old or "new",
                package.new or "goes",
                package.suite,
                "withdrawn" if news.withdrawn else news.urgency,
                f"{len(news.cves) or ''}",
                named(package.images, _NAMED),
                f"{len(package.instances) or ''}",
                named(hosts, _NAMED),
            )
            found.append(tuple(map(line, cells)))
            source = ""
    return found


def _update(update: Update) -> dict[str, Any]:
    effect = asdict(update.effect)
    return {
        "name": update.name,
        "branch": update.branch,
        "security": update.security,
        "title": title(update.effect, update.news),
        "sources": [_news(news) for news in update.news],
        "packages": effect["packages"],
        "images": effect["rebuilt"],
        "instances": effect["restarted"],
        "unaffected": {"images": effect["kept_images"], "instances": effect["kept"]},
        "files": sorted(update.files),
    }


def _news(news: News) -> dict[str, Any]:
    return {
        "source": news.source,
        "old": news.old,
        "new": news.new,
        "withdrawn": news.withdrawn,
        "urgency": news.urgency,
        "cves": news.cves,
        "bugs": news.bugs,
        "packages": [package.name for package in news.packages],
        "missing": news.missing,
        "changelog": [
            {
                "version": entry.version,
                "urgency": line(entry.urgency),
                "date": stamp(entry.date) if entry.date else None,
                "author": line(entry.author),
                "text": plain(entry.text),
            }
            for entry in news.entries
        ],
    }
