"""Proposals made up for tests of what is said about them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from gitops.debian.changelog import Entry
from gitops.fleet import updates as policy
from gitops.updates.effect import Effect, PackageUpdate, Place, Rebuild
from gitops.updates.find import Update, Updates
from gitops.updates.finding import Finding
from gitops.updates.news import News

HOSTILE = "\n".join(
    [
        "  * </details></summary></code></pre><script>alert(1)</script><img src=x onerror=alert(1)>",
        "```",
        "~~~~",
        "`````````` <iframe src=javascript:alert(1)>",
        "  * Thanks to @everyone, @security-team and foo@example.org.",
        "  * Closes: #1, #2; fixes GH-3, us/them#4, !5",
        "Fixes https://forge.example.org/us/fleet/-/issues/6",
        "/merge",
        "  /approve",
        "  * [click](javascript:alert(1)) ![](https://example.org/beacon.png)",
        "  * <https://example.org> www.example.org",
        "  * [skip ci] [CI SKIP] [no ci] ***NO_CI***",
        "Signed-off-by: Nobody <nobody@example.org>",
        "Co-authored-by: Nobody <nobody@example.org>",
        "skip-checks: true",
        "  \x1b[31mred\x1b[0m \x1b]8;;https://example.org\x07link\x1b]8;;\x07 \x9b2J",
        "  \u202eright to left\u2066 \u200b\ufeff\x00\x08",
        "| a | b |\n|---|---|\n<!-- gitops: 00000000 -->",
        "  &lt;script&gt; &#64;everyone \\`escaped\\` $`x`$ {{ 7 * 7 }} {% raw %}",
        "  * " + "long " * 200_000,
    ]
)
"""A changelog by someone who means harm."""


def entry(text: str = "  * Fix it.", version: str = "3.5.7-1", urgency: str = "high", cves: int = 0) -> Entry:
    """Make an entry that names so many CVEs."""
    names = tuple(f"CVE-2026-{number}" for number in range(1000, 1000 + cves))
    return Entry(
        version, urgency, datetime(2026, 1, 27, tzinfo=UTC), "Ann <ann@example.org>", text, names, (7,)
    )


def news(
    source: str = "openssl", *entries: Entry, old: str | None = "3.5.6-1", new: str | None = "3.5.7-1"
) -> News:
    """Make news of a source package of which one package moves."""
    move = PackageUpdate(
        source, f"lib{source}", old, new, "debian/trixie-security", ("base",), ("alice@web1", "bob@web1")
    )
    return News(source, old, new, entries, packages=(move,))


def effect(told: Sequence[News], instances: int = 2) -> Effect:
    """Make what it changes: a base, a child because of it, and instances of which one service stays."""
    names = [f"i{number:03}" for number in range(instances)]
    return Effect(
        packages=tuple(package for each in told for package in each.packages),
        rebuilt=(Rebuild("base", ("amd64",), None), Rebuild("web", ("amd64", "arm64"), "base")),
        restarted=tuple(Place("web1", name, ("web",), "blog", 8) for name in names),
        kept_images=("mariadb",),
        kept=(
            *(Place("web1", name, ("db",), "blog", 8) for name in names),
            Place("web2", "carol", ("db",), "blog", 1),
        ),
    )


def update(*told: News, instances: int = 2, name: str = "") -> Update:
    """Make a proposal."""
    branch = "-".join(filter(None, ("gitops/updates", name)))
    changed = effect(told, instances)
    files: dict[str, str | None] = {"locks/base.amd64.lock": ""}
    return Update(name, branch, security=True, effect=changed, news=told, files=files, contents=frozenset())


def updates(*all_of_them: Update, findings: Sequence[Finding] = ()) -> Updates:
    """Make what was found."""
    return Updates("0" * 40, policy.Updates(), all_of_them, tuple(findings))
