"""What `gitops status` shows of a view, and the pictures of it."""

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from demo.pictures import DIRECTORY, pictures
from gitops.cli.overview import overview
from tests.view.made import instance, update, view


@pytest.fixture(autouse=True)
def _zone() -> Iterator[None]:
    """The C library reads the zone when it is told to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def test_problems_come_first_then_hosts_containers_backups_and_updates(tmp_path: Path) -> None:
    found = overview(
        view(tmp_path, [instance("alice"), instance("bob", problem="it is down")], waiting=(update(),))
    )
    heads = [tuple(table.head)[:1] for table in found]
    assert heads == [(), ("problem with",), ("host",), ("instance",), ("instance",), ("package",)]
    title, problems, hosts, containers, backups, updates = found
    assert title.title.startswith("corner-shop on web1: generation c0ffeec0ffee, 2 instances, 3 problems")
    assert {row[0] for row in problems.rows} == {"host web2", "instance bob", "backup bob"}
    assert ("web2", "8 h", "beefbeefbeef", "12", "silent") in hosts.rows
    assert len(containers.rows) == len(backups.rows) == 2
    assert updates.title == "1 update waits, 1 for security"
    assert updates.rows[0][0] == "libssl3t64"
    assert "2026-02-28 03:00:00 UTC" in str(problems.rows)  # people's clock, amid a message, too


def test_nothing_is_shown_of_what_there_is_none_of(tmp_path: Path) -> None:
    quiet = view(tmp_path, [])
    title, hosts, nothing, updates = overview(quiet)[:1] + overview(quiet)[2:]
    assert "no instances, 1 problem" in title.title
    assert hosts.head[0] == "host"
    assert nothing.note == "web1: nothing runs here"
    assert updates.note == "no update waits; looked 1 h ago"


def words(picture: str) -> list[str]:
    return unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", picture, flags=re.DOTALL)).split()


def test_the_pictures_in_the_docs_are_what_the_program_shows() -> None:
    for name, picture in pictures().items():
        assert words((DIRECTORY / name).read_text()) == words(picture), "run `make pictures`"
        assert not re.search(r"(?:href|src|url)\W{0,3}(?:https?:)?//", picture)
