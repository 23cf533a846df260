"""A set is complete or does not exist."""

from datetime import UTC, datetime, timedelta

from gitops.backup.restic import Snapshot
from gitops.backup.sets import (
    BackupSet,
    Dataset,
    common_tags,
    complete_sets,
    leftovers,
    manifest_tags,
)

_DATABASE = Dataset("mariadb", "db", "wordpress")
_VOLUME = Dataset("volume", "", "uploads")
_TAGS = common_tags("demo", "alice")


def _snapshot(number: int, *tags: str) -> Snapshot:
    time = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return Snapshot(f"{number:064x}", time, (*_TAGS, *tags))


def _run(number: int) -> list[Snapshot]:
    parts = [_snapshot(number, _DATABASE.tag), _snapshot(number + 1, _VOLUME.tag)]
    return [*parts, _snapshot(number + 2, *manifest_tags(parts))]


def test_a_run_to_the_end_makes_a_set() -> None:
    database, volume, manifest = _run(1)
    assert complete_sets([manifest, volume, database]) == [
        BackupSet(manifest.id, manifest.time, ((_DATABASE, database.id), (_VOLUME, volume.id)))
    ]


def test_a_run_cut_short_at_any_point_makes_none() -> None:
    for length in range(3):
        assert complete_sets(_run(1)[:length]) == []


def test_a_set_that_lost_a_part_is_none() -> None:
    for lost in range(2):
        snapshots = _run(1)
        del snapshots[lost]
        assert complete_sets(snapshots) == []


def test_what_belongs_to_no_kept_set_is_left_over_manifests_apart() -> None:
    old, new, cut = _run(1), _run(11), _run(21)[:2]
    everything = [*old, *new, *cut]
    sets = complete_sets(everything)
    assert leftovers(everything, sets[1:]) == ([old[2].id], [one.id for one in (*old[:2], *cut)])


def test_a_dataset_says_what_people_call_it() -> None:
    assert [str(one) for one in (_DATABASE, _VOLUME)] == ["database db/wordpress", "volume uploads"]


def test_a_dataset_is_read_back_from_its_tag() -> None:
    odd = Dataset("mariadb", "db", "a,b/c %2F größe=1")
    file = Dataset("sqlite", "web", "/srv/data/my.db")
    for dataset in (_DATABASE, _VOLUME, odd, file):
        assert "," not in dataset.tag
        assert Dataset.of_tags([*_TAGS, dataset.tag]) == dataset
    assert Dataset.of_tags([*_TAGS, "dataset=nonsense"]) is None
