"""Restores that died: the agent brings them to an end before it looks at anything else."""

from gitops.agent.unchanged import clean_commit, still_so
from gitops.backup.cut_short import owned
from gitops.backup.journal import Journal
from tests.agent.conftest import FleetOnDisk


def _settled(fleet: FleetOnDisk) -> bool:
    return still_so(clean_commit(fleet.root), None, fleet.engine, fleet.places) is not None


def test_a_restore_that_was_cut_short_is_brought_to_its_end_by_the_next_turn(fleet: FleetOnDisk) -> None:
    fleet.apply()
    fleet.apply()
    assert _settled(fleet)
    before = fleet.running()
    Journal("alice", "0123abcd", (), ()).write(fleet.places)
    assert not _settled(fleet), "the quick answer hides it"
    with owned(fleet.places, "alice"):
        assert _settled(fleet), "its owner lives"
        assert "undone" not in "".join(fleet.apply()[1])
    _, told = fleet.apply()
    assert told[0] == "alice: a restore that was cut short is undone; it is as it was"
    assert _settled(fleet)
    assert fleet.running() == before


def test_a_journal_that_nobody_understands_is_told_and_stops_nothing(fleet: FleetOnDisk) -> None:
    path = fleet.places.state / "restore" / "alice.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 99}')
    _, told = fleet.apply()
    assert told[0].endswith("alice.json: was written by another version of gitops")
    assert {"alice/web", "bob/web"} <= fleet.running().keys()
