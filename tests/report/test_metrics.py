"""Monitoring can read what gitops writes, and finds in it how things went."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gitops.report.history import Past, Run
from gitops.report.metrics import write_metrics
from gitops.system.places import places

_AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def _run(outcome: str, status: int = 0) -> Run:
    return Run("job", "alice", "tidy", _AT, _AT + timedelta(seconds=2.5), status, outcome=outcome)


def _written(past: Past | None, *, late: bool = False, waiting: int = 0) -> dict[str, float]:
    """Write; give what Prometheus' own parser reads, by name and by the labels that differ."""
    key = ("job", "alice", "tidy")
    found = {key: past} if past else {}
    write_metrics(places(), found, [key], [key] if late else [], waiting, _AT + _HOUR)
    text = (places().state / "metrics" / "gitops.prom").read_text()
    read = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labels = dict(sample.labels)
            if "watched" not in sample.name and "waiting" not in sample.name:
                assert [labels.pop(one) for one in ("kind", "instance", "name")] == list(key)
            read[" ".join([sample.name.removeprefix("gitops_"), *labels.values()])] = sample.value
    return read


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))


def test_what_went_well_has_its_times(tmp_path: Path) -> None:
    assert _written(Past(_run("ok"), _AT + timedelta(seconds=2.5), _AT)) == {
        "last_run_timestamp_seconds": _AT.timestamp(),
        "last_success_timestamp_seconds": _AT.timestamp() + 2.5,
        "last_run_duration_seconds": 2.5,
        "last_run_good": 1,
        "last_run_outcome ok": 1,
        "late": 0,
        "notices_waiting": 0,
        "watched_timestamp_seconds": (_AT + _HOUR).timestamp(),
    }
    assert (tmp_path / "var/lib/gitops/metrics/gitops.prom").stat().st_mode & 0o777 == 0o644


def test_what_failed_says_how_and_when_it_was_well() -> None:
    read = _written(Past(_run("timeout", 124), _AT - _HOUR, _AT), waiting=3)
    assert read["last_run_good"] == 0
    assert read["last_run_outcome timeout"] == 1
    assert read["last_success_timestamp_seconds"] == (_AT - _HOUR).timestamp()
    assert read["notices_waiting"] == 3


def test_what_never_ran_is_late_and_has_no_times() -> None:
    read = _written(None, late=True)
    assert read["late"] == 1
    assert not [name for name in read if name.startswith("last")]
