"""What begins to fail is told once, and once more when it works again; what was printed is told with care."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from gitops.report.notices import due, outbox, outcome, put_off, tell
from gitops.system.clock import now
from gitops.system.places import Places
from gitops.system.places import places as the_places
from gitops.system.run import run

_TOPIC = "job alice/wp-cron"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    made = the_places()
    made.state.mkdir(parents=True)
    (made.state / "host").write_text("web1\n")
    return made


def _went(places: Places, *, good: bool, tail: str | bytes = "", always: bool = False) -> bool:
    return outcome(places, _TOPIC, f"{_TOPIC} failed", good, "exit status 3", tail, always=always)


def test_the_first_failure_and_the_recovery_are_told_and_nothing_in_between(places: Places) -> None:
    told = [_went(places, good=good) for good in (True, True, False, False, False, True, True, False)]
    assert told == [False, False, True, False, False, True, False, True]
    assert [(one.title, one.good) for one in outbox(places)] == [
        ("web1: job alice/wp-cron failed", False),
        ("web1: job alice/wp-cron works again", True),
        ("web1: job alice/wp-cron failed", False),
    ]


def test_each_thing_fails_for_itself(places: Places) -> None:
    assert _went(places, good=False)
    assert outcome(places, "job bob/wp-cron", "job bob/wp-cron failed", good=False, words="")
    assert not _went(places, good=False)


def test_what_is_always_worth_telling_is_told_each_time(places: Places) -> None:
    assert all(_went(places, good=good, always=True) for good in (True, False, False, True, True))
    assert [one.title.partition("wp-cron ")[2] for one in outbox(places)] == [
        "went well",
        "failed",
        "failed",
        "works again",
        "went well",
    ]


def test_the_end_of_what_was_printed_is_told_printable_and_not_endless(places: Places) -> None:
    noise = b"\xff\xfe binary\x1b[31m red\x07\r\n" * 9000
    _went(places, good=False, tail=noise + b"disk\tfull\n\x00no space left\n")
    (told,) = outbox(places)
    assert told.text.startswith("exit status 3\n\n")
    assert told.text.endswith("[31m red\ndisk    full\nno space left")
    assert len(told.text) < 3000
    assert len(told.text.splitlines()) <= 23
    assert all(one.isprintable() for line in told.text.splitlines() for one in line)


def test_only_its_owner_can_read_what_waits(places: Places) -> None:
    _went(places, good=False, tail="a customer's name")
    (path,) = (places.state / "outbox").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_told_is_tried_ever_less_often_and_given_up_after_days(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    tell(places, "hello", "", good=True)
    pauses = []
    for _ in range(8):
        (one,) = outbox(places)
        assert put_off(one, ("ops",), "no route to host")
        assert due(places, now()) == []
        minutes = next(m for m in range(100) if due(places, now() + timedelta(minutes=m, seconds=5)))
        pauses.append(minutes)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    (one,) = outbox(places)
    assert (one.left, one.tries, one.why) == (("ops",), 8, "no route to host")
    content = json.loads(one.path.read_text())
    one.path.write_text(json.dumps({**content, "time": "2026-01-01T00:00:00Z"}))
    (one,) = outbox(places)
    assert not put_off(one, ("ops",), "no route to host")
    assert outbox(places) == []
    assert "nobody was told: web1: hello (no route to host)" in caplog.text


def test_a_full_disk_stops_nothing_and_the_next_failure_is_told(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    full = places.state / "outbox"
    full.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "full", full])
    try:
        with caplog.at_level(logging.WARNING):
            assert not _went(places, good=False)
        assert "job alice/wp-cron failed: nobody is told: [Errno 28]" in caplog.text
    finally:
        run(["umount", full])
    assert _went(places, good=False)
    assert len(outbox(places)) == 1


def test_a_file_that_is_broken_keeps_no_other_from_being_delivered(places: Places) -> None:
    (places.state / "outbox").mkdir()
    for number, text in enumerate(["", "{", "[]", '{"title": 1}', '{"left": null, "time": "no"}']):
        (places.state / "outbox" / f"{number}.json").write_text(text)
    tell(places, "hello", "", good=True)
    assert [one.title for one in outbox(places)] == ["web1: hello"]
