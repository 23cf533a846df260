"""What programs and terminals are given is whole, and safe to print."""

import json

from gitops.updates.finding import Finding
from gitops.updates.report import COLUMNS, document, rows
from tests.updates.proposals import HOSTILE, entry, news, update, updates


def test_a_row_says_all_that_matters_of_a_package() -> None:
    (row,) = rows(update(news("openssl", entry(cves=2))))
    assert dict(zip(COLUMNS, row, strict=True)) == {
        "source": "openssl",
        "package": "libopenssl",
        "old": "3.5.6-1",
        "new": "3.5.7-1",
        "suite": "debian/trixie-security",
        "urgency": "high",
        "CVEs": "2",
        "images": "base",
        "instances": "2",
        "hosts": "web1",
    }


def test_the_document_holds_the_changelog_and_nothing_that_a_terminal_obeys() -> None:
    proposal = update(news("openssl", entry(HOSTILE, urgency="high\x1b")))
    text = json.dumps(document(updates(proposal, findings=[Finding("a\x9b", "b\u202e")])), ensure_ascii=False)
    assert all(character.isprintable() for character in text)
    (told,) = json.loads(text)["updates"]
    assert told["branch"] == "gitops/updates"
    assert told["sources"][0]["changelog"][0]["date"] == "2026-01-27T00:00:00Z"
    place = {"host": "web1", "instance": "i000", "services": ["web"], "app": "blog", "batch": 8}
    assert told["instances"][0] == place
    assert json.loads(text)["findings"] == [{"subject": "a", "reason": "b"}]
