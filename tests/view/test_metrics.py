"""Monitoring can read what gitops writes and finds in it how things went; example alerts keep their word."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from gitops.agent.exporter import Exporter
from gitops.agent.settings import Metrics
from gitops.deploy.action import Held, Result
from gitops.report.history import Past, Run
from gitops.system.places import places
from gitops.system.shipped import shipped
from gitops.view.metrics import Key, write_metrics
from gitops.view.view import View
from tests.view.made import AT, HOUR, instance, update, view

_KEY: Key = ("job", "alice", "tidy")


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))


def _run(outcome: str, status: int = 0) -> Run:
    return Run("job", "alice", "tidy", AT, AT + timedelta(seconds=2.5), status, outcome=outcome)


def _all() -> View:
    alice = instance("alice", problem="no table", job=_run("failed", 1))
    held = replace(instance("bob"), held=Held("bob", Result.ROLLED_BACK, "web is unhealthy"))
    return view(Path(), [alice, held], waiting=(update(), update(source="nano", security=False)))


def _written(found: View, pasts: Mapping[Key, Past]) -> dict[str, float]:
    """Write; give what Prometheus' own parser reads, by name and labels."""
    write_metrics(found, pasts, places())
    read = {}
    for family in text_string_to_metric_families(_path().read_text()):
        assert family.documentation
        for sample in family.samples:
            labels = [value for _, value in sorted(sample.labels.items())]
            read[" ".join([sample.name.removeprefix("gitops_"), *labels])] = sample.value
    return read


def _path() -> Path:
    return places().state / "metrics" / "gitops.prom"


def _promtool(*words: str | Path, text: str = "") -> str:
    done = subprocess.run(["promtool", *words], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_what_went_well_has_its_times(tmp_path: Path) -> None:
    read = _written(
        view(Path(), [instance("alice", job=_run("ok"))]),
        {_KEY: Past(_run("ok"), AT + timedelta(seconds=2.5), AT)},
    )
    assert read["last_run_timestamp_seconds alice job tidy"] == AT.timestamp()
    assert read["last_success_timestamp_seconds alice job tidy"] == AT.timestamp() + 2.5
    assert read["last_run_duration_seconds alice job tidy"] == 2.5
    assert read["last_run_good alice job tidy"] == read["last_run_outcome alice job tidy ok"] == 1
    assert read["late alice job tidy"] == 0
    assert read["instance_well shop alice"] == 1
    assert read["backup_newest_timestamp_seconds alice"] == (AT - HOUR).timestamp()
    assert read["drill_good alice"] == 1
    assert (tmp_path / "var/lib/gitops/metrics/gitops.prom").stat().st_mode & 0o777 == 0o644


def test_what_went_wrong_and_what_waits_is_there() -> None:
    read = _written(_all(), {_KEY: Past(_run("timeout", 124), AT - HOUR, AT)})
    assert read["last_run_good alice job tidy"] == 0
    assert read["last_run_outcome alice job tidy timeout"] == 1
    assert read["last_success_timestamp_seconds alice job tidy"] == (AT - HOUR).timestamp()
    assert read["instance_well shop alice"] == 0
    assert read["rollout_held bob rolled back"] == 1
    assert read["drill_good alice"] == 0
    assert read["updates_waiting true"] == read["updates_waiting false"] == 1
    assert read["update_since_timestamp_seconds true openssl"] == (AT - 9 * 24 * HOUR).timestamp()
    assert read["image_cves base"] == 2
    assert read["report_timestamp_seconds web2"] == (AT - 8 * HOUR).timestamp()
    assert read["rollout_last_good done"] == 1
    assert read["problems"] == len(_all().problems)


def test_what_never_ran_is_late_and_has_no_times_and_what_is_gone_is_left_out() -> None:
    made = view(Path(), [instance("alice", job=_run("ok"))])
    late = replace(made, jobs=(replace(made.jobs[0], last=None, late=AT),))
    read = _written(
        late,
        {
            ("job", "alice", "gone"): Past(_run("ok"), AT, AT),
            ("backup", "carol", ""): Past(_run("ok"), AT, AT),
        },
    )
    assert read["late alice job tidy"] == 1
    assert not [name for name in read if name.startswith("last")]


def test_promtool_finds_nothing_to_say_of_them() -> None:
    write_metrics(_all(), {_KEY: Past(_run("ok"), AT, AT)}, places())
    assert _promtool("check", "metrics", text=_path().read_text()) == ""


def test_the_example_alerts_do_what_they_say(tmp_path: Path) -> None:
    shutil.copy(shipped("templates") / "monitoring/gitops.rules.yml", tmp_path)
    shutil.copy(Path(__file__).with_name("rules.test.yml"), tmp_path)
    assert "13 rules found" in _promtool("check", "rules", tmp_path / "gitops.rules.yml")
    assert "SUCCESS" in _promtool("test", "rules", tmp_path / "rules.test.yml")


def test_alerts_and_dashboard_ask_for_what_there_is(tmp_path: Path) -> None:
    monitoring = shipped("templates") / "monitoring"
    groups = YAML(typ="safe").load(monitoring / "gitops.rules.yml")["groups"]
    board = json.loads((monitoring / "dashboard.json").read_text())
    asked = [rule["expr"] for group in groups for rule in group["rules"]]
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    found = _written(_all(), {_KEY: Past(_run("ok"), AT, AT)})
    there = {f"gitops_{name.partition(' ')[0]}" for name in found}
    assert {name for text in asked for name in re.findall(r"gitops_\w+", text)} <= there
    rules = [{"record": f"r:{number}", "expr": text} for number, text in enumerate(asked)]
    # JSON is YAML.
    (tmp_path / "asked.yml").write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}))
    _promtool("check", "rules", tmp_path / "asked.yml")


def test_who_asks_on_this_machine_gets_the_same() -> None:
    with Exporter("127.0.0.1:0", places()) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        assert httpx.get(f"{url}/metrics").status_code == 503
        write_metrics(_all(), {}, places())
        answer = httpx.get(f"{url}/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.content == _path().read_bytes()
        assert [httpx.get(f"{url}{path}").status_code for path in ("/", "/metrics/../../history.db")] == [
            404,
            404,
        ]
        server.shutdown()
    with pytest.raises(ValueError, match="can be reached from elsewhere"):
        Metrics(listen="0.0.0.0:9798")
