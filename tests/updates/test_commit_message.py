"""A commit message says what a pull request does, in plain lines that no forge takes for an order."""

import re
import subprocess

from gitops.updates.commit_message import commit_message
from gitops.updates.finding import Finding
from tests.updates.proposals import HOSTILE, entry, news, update, updates


def test_it_says_all_of_it() -> None:
    proposal = update(news("openssl", entry("  * Fix CVE-2026-1000. (Closes: #7)", cves=1)))
    finding = Finding("mariadb (amd64)", "there is no\n  package galera-4")
    assert (
        commit_message(proposal, updates(proposal, findings=[finding]))
        == """\
openssl 3.5.6-1 → 3.5.7-1: 1 CVE, high; 2 images, 2 instances

Packages, by source:
  openssl 3.5.6-1 → 3.5.7-1 from debian/trixie-security
    urgency high
    CVE-2026-1000
    Debian bugs 7
    libopenssl

Images built again:
  base (amd64)
  web (amd64, arm64), because base is

Instances that restart:
  web1: 2 instances of blog, 8 at a time: i000, i001

Not affected:
  images: mariadb
  instances: 1

Stays behind:
  mariadb (amd64): there is no package galera-4

Changelog of openssl:
  3.5.7-1, 2026-01-27, urgency high, by Ann

    * Fix CVE-2026-1000. (Closes: 7)

To take it:
  gitops update --merge gitops/updates
"""
    )


def test_lines_that_were_broken_for_want_of_room_are_broken_anew() -> None:
    text = "  * " + "word " * 13 + "here\n    and after that some more\n  * another"
    message = commit_message(update(news("openssl", entry(text))), updates())
    assert "    * " + "word " * 12 + "word\n      here and after that some more\n    * another\n" in message


def test_no_line_is_longer_than_git_shows_and_none_is_obeyed() -> None:
    proposal = update(
        news("openssl", entry(HOSTILE), entry(HOSTILE, urgency="@all #1 [skip ci]")), instances=1000
    )
    finding = Finding("web (amd64)", HOSTILE)
    message = commit_message(proposal, updates(proposal, findings=[finding]))
    assert max(map(len, message.splitlines())) <= 72
    assert all(character.isprintable() or character == "\n" for character in message)
    assert not re.search(r"@\S|#\d|!\d|://|GH-\d|\[(skip|ci|no)\b|\*\*\*NO_CI", message, re.IGNORECASE)
    assert not re.search(r"^\s*(/[a-z]|[\w-]+-by\s*:|skip-checks)", message, re.IGNORECASE | re.MULTILINE)
    trailers = subprocess.run(
        ["git", "interpret-trailers", "--parse"], input=message, text=True, capture_output=True, check=True
    )
    assert trailers.stdout == ""


def test_it_stays_bounded_whatever_is_new() -> None:
    told = [news(f"source{n}", entry("  * word\n" * 2000, cves=500)) for n in range(300)]
    message = commit_message(update(*told, instances=2000), updates())
    assert len(message) <= 60_000
    assert "and 200 more" in message
    assert message.endswith("To take it:\n  gitops update --merge gitops/updates\n")


def test_what_is_found_about_other_images_does_not_change_a_group_s_text() -> None:
    own, other = Finding("openssl 1 → 2 in base", "held"), Finding("mariadb (amd64)", "gone")
    proposal = update(news(), name="openssl")
    message = commit_message(proposal, updates(proposal, findings=[own, other]))
    assert message == commit_message(proposal, updates(proposal, findings=[own]))
    assert "openssl 1 → 2 in base: held" in message
