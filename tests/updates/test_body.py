"""A pull request's text can be read in one minute, and nothing in it from outside is ever active."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from gitops.fleet import updates as policy
from gitops.system.errors import UserError
from gitops.updates.body import body
from gitops.updates.finding import Finding
from gitops.updates.news import News
from tests.updates.proposals import HOSTILE, entry, news, update, updates

TAGS = {"p", "h3", "strong", "b", "code", "pre", "br", "a", "ul", "li", "details", "summary"} | {
    "table", "thead", "tbody", "tr", "th", "td"
}  # fmt: skip
PAGES = ("https://security-tracker.debian.org/tracker/CVE-", "https://bugs.debian.org/")


class Page(HTMLParser):
    """What a browser would make of it: tags, attributes, and the text that is not code."""

    def __init__(self, markdown: str) -> None:
        """Render as forges do, raw HTML too; what they would then sanitise is what must not be there."""
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.open: list[str] = []
        self.text = ""
        self.headings: list[list[str]] = []
        self.feed(
            MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag == "h3":
            self.headings.append(list(self.open))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Expect what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what is not code."""
        self.text += "" if "code" in self.open else data

    def handle_comment(self, data: str) -> None:
        """Expect none: comments are how the bot knows its own pull requests."""
        raise AssertionError(data)


def test_it_says_what_changes_where_and_what_to_do(tmp_path: Path) -> None:
    proposal = update(news("openssl", entry("  * Fix CVE-2026-1000.", cves=2)), instances=100)
    finding = Finding("mariadb (amd64)", "there is no package galera-4")
    text = body(tmp_path, proposal, updates(proposal, findings=[finding]))
    assert text.startswith(
        "**2 CVEs**, urgency **high** · **2 images** built again · **100 instances** on 1 host restart\n"
    )
    for said in (
        "| **openssl**<br>`libopenssl` | `3.5.6-1`<br>→&nbsp;`3.5.7-1` | `trixie-security` | **high** | 2 |",
        "[CVE-2026-1000](https://security-tracker.debian.org/tracker/CVE-2026-1000)",
        "[7](https://bugs.debian.org/7)",
        "```text\n3.5.7-1, 2026-01-27, urgency high, by Ann\n\n  * Fix CVE-2026-1000.\n```",
        "| `web` | amd64, arm64 | stands on `base` |",
        "| `web1` | `blog` | 100 | `i000`, `i001`, `i002`, `i003`, `i004` and 95 more | 13, of 8 at most |",
        "images `mariadb`; 1 instance as a whole; the services `db` of those that restart.",
        "- `mariadb (amd64)`: `there is no package galera-4`",
        "git fetch origin gitops/updates && git switch --detach FETCH_HEAD",
    ):
        assert said in text
    assert len(text) < 3500


def test_what_it_says_to_write_into_fleet_yaml_can_be_written_there(tmp_path: Path) -> None:
    text = body(tmp_path, update(news("0ad", old="1e1", new="1e2")), updates())
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    settings = policy.Updates.model_validate(YAML(typ="safe").load(example)["updates"])
    assert [hold.source for hold in settings.hold] == ["0ad"]
    assert [(ignore.source, ignore.version) for ignore in settings.ignore] == [("0ad", "1e2")]


def test_nothing_from_outside_is_active(tmp_path: Path) -> None:
    told = (
        news("openssl", entry(HOSTILE, urgency="<b>@all"), entry(HOSTILE, version="<script>#1")),
        News("www.example.org", "1", "2", missing=HOSTILE),
    )
    text = body(tmp_path, update(*told), updates(findings=[Finding(HOSTILE, HOSTILE)]))
    page = Page(text)
    assert page.open == []
    assert page.tags <= TAGS
    links = {value for name, value in page.attributes if name == "href"}
    assert all(link.startswith(PAGES) for link in links)
    assert {name for name, _ in page.attributes} <= {"href", "class", "style"}
    assert page.headings == [[], [], [], []]
    assert not re.search(r"@|#\d|!\d|://|javascript", page.text)
    assert "49" not in text
    assert "<!--" not in text
    assert not re.search(
        r"@\S|#\d|GH-\d|\[(skip|ci|no)\b", re.sub(r"\(https://.*?\)", "", text), re.IGNORECASE
    )
    assert not re.search(r"^\s*/[a-z]", text, re.MULTILINE)


def test_long_changelogs_are_cut_first_and_that_is_said(tmp_path: Path) -> None:
    told = [news(f"source{n}", entry("  * word\n" * 2000, cves=3)) for n in range(20)]
    text = body(tmp_path, update(*told), updates())
    assert 20_000 < len(text) <= 60_000
    assert text.count("<details>") == 22
    assert "lines more: `apt changelog source7`" in text
    assert Page(text).open == []


def test_it_stays_bounded_whatever_is_new(tmp_path: Path) -> None:
    told = [news(f"source{n}", entry("  * word\n" * 2000, cves=500)) for n in range(400)]
    findings = [Finding(f"image{n} (amd64)", "x" * 1000) for n in range(500)]
    text = body(tmp_path, update(*told, instances=5000), updates(findings=findings))
    assert len(text) <= 60_000
    assert "And 360 more source packages" in text
    assert Page(text).open == []


def test_a_fleet_lays_it_out_as_it_likes_but_cannot_act(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    own = tmp_path / "templates/pull-request.md.j2"
    own.write_text("{{ branch }}: {{ facts | length }}\n")
    assert body(tmp_path, update(news()), updates()) == "gitops/updates: 3\n"
    for wrong in ("{{ nothing }}", "{{ ''.__class__.__mro__ }}", "{{ 'x' * 70000 }}"):
        own.write_text(wrong)
        with pytest.raises(UserError, match=r"templates/pull-request\.md\.j2"):
            body(tmp_path, update(news()), updates())
