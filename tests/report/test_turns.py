from datetime import timedelta
from pathlib import Path

import pytest

from gitops.report import turns as history
from gitops.report.turns import Outcome, Step, Turn, begin, finish, note, turn, turns
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))


def _apply(commit: str = "b" * 40, steps: tuple[Step, ...] = ()) -> Turn:
    return Turn("apply", commit, "a" * 40, now(), Outcome.UNDER_WAY, steps=steps)


def _fetch(detail: str = "git is away") -> Turn:
    return Turn("fetch", "", "a" * 40, now(), Outcome.FAILED, now(), detail)


def test_a_turn_is_given_back_with_its_steps_and_how_each_ended(places: Places) -> None:
    planned = Step("recreate", "alice/web", "image changed")
    number = begin(places, _apply(steps=(planned, planned)))
    assert turn(places, number).steps == (planned, planned)
    began = now()
    ended = (
        Step("recreate", "alice/web", "image changed", "done", began, began + timedelta(seconds=2)),
        Step("recreate", "bob/web", "image changed", "rolled back", began, began, "it is unhealthy"),
    )
    finish(places, number, Outcome.FAILED, "bob is on its old version", ended)
    found = turn(places, number)
    assert (found.outcome, found.detail, found.steps) == (
        Outcome.FAILED,
        "bob is on its old version",
        ended,
    )
    assert found.ended
    assert found.ended >= found.started


def test_a_turn_that_was_killed_shows_as_cut_short_once_the_next_one_begins(places: Places) -> None:
    killed = begin(places, _apply())
    assert turn(places, killed).outcome is Outcome.UNDER_WAY
    begin(places, _apply())
    assert [one.outcome for one in turns(places)] == [Outcome.UNDER_WAY, Outcome.CUT_SHORT]


def test_what_happens_again_and_again_is_one_line_that_counts(places: Places) -> None:
    for _ in range(3):
        note(places, _fetch())
    begin(places, _apply())
    note(places, _fetch())
    note(places, _fetch("the signature is bad"))
    assert [(one.kind, one.times, one.detail) for one in turns(places)] == [
        ("fetch", 1, "the signature is bad"),
        ("apply", 1, ""),
        ("fetch", 4, "git is away"),
    ]


def test_it_does_not_grow_without_end(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 3)
    for number in range(6):
        begin(places, _apply(f"{number}", (Step("create", "alice/web", "it is not there"),)))
    assert [one.commit for one in turns(places)] == ["5", "4", "3"]
    with pytest.raises(UserError, match="gitops history"):
        turn(places, 1)


def test_a_detail_is_one_printable_line(places: Places) -> None:
    note(places, _fetch("no\x1b[31m\nwhat the server said"))
    assert turns(places)[0].detail == "no[31m"


def test_a_history_that_cannot_be_written_stops_nothing(
    places: Places, caplog: pytest.LogCaptureFixture
) -> None:
    places.state.mkdir()
    (places.state / "history.db").write_bytes(b"not a database" * 1000)
    number = begin(places, _apply())
    finish(places, number, Outcome.DONE)
    note(places, _fetch())
    assert number == 0
    assert "not recorded" in caplog.text
