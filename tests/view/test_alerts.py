"""What is news is told once, when it has lasted long enough, and once more when it is over."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from gitops.agent.ticked import Tick
from gitops.deploy.action import Held, Result
from gitops.fleet.kinds import Kind
from gitops.fleet.notifications import Notifications
from gitops.system.clock import stamp
from gitops.view.alerts import Known, News, alerts, news, undecided, watched
from gitops.view.view import View
from tests.view.made import AT, HOUR, instance, update, view

DAY = 24 * HOUR
RULES = Notifications(to=("ops",))


def _step(
    found: View, before: dict[str, Known], rules: Notifications = RULES
) -> tuple[list[News], dict[str, Known]]:
    return news(alerts(found), before, rules, found.at, undecided(found))


def _well(**other: object) -> View:
    made = view(Path(), [instance("alice")])
    return replace(made, others=(), **{"tick": replace(made.tick, time=stamp(AT)), **other})  # type: ignore[arg-type,type-var]


def test_nothing_is_told_where_all_is_well() -> None:
    assert _step(_well(), {}) == ([], {})


def test_a_failed_drill_is_told_once_and_that_the_next_goes_well() -> None:
    bad = replace(view(Path(), [instance("alice", problem="no table posts")]), others=(), tick=None)
    first, known = _step(bad, {})
    assert [(one.kind, one.title) for one in first] == [
        ("drill-failed", "the drill of alice's backup failed")
    ]
    assert "no table posts" in first[0].text
    again, known = _step(replace(bad, at=AT + HOUR), known)
    assert again == []
    over, known = _step(_well(at=AT + 2 * HOUR, tick=None), known)
    assert [(one.title, one.good) for one in over] == [("the drill of alice's backup works again", True)]
    assert known == {}


def test_an_update_is_told_at_once_and_one_for_security_again_after_a_week() -> None:
    young = _well(images=view(Path(), [], waiting=(update(),)).images, at=AT - 8 * DAY, tick=None)
    first, known = _step(young, {})
    assert [one.kind for one in first] == ["update"]
    assert first[0].title == "the update openssl waits: for security, 1 package"
    assert "3.5.1-1 -> 3.5.1-1+deb13u1 (CVE-2026-4242, CVE-2026-4243)" in first[0].text
    old, known = _step(replace(young, at=AT), known)
    assert [(one.kind, one.title) for one in old] == [
        ("security-update", f"a security update of openssl waits since {stamp(AT - 9 * DAY)}")
    ]
    merged, _ = _step(_well(tick=None), known)
    assert sorted(one.title for one in merged) == [
        "the security update of openssl waits no more",
        "the update openssl waits no more",
    ]


def test_a_newer_version_is_news_again() -> None:
    waits = update()
    _, known = _step(_well(images=view(Path(), [], waiting=(waits,)).images, tick=None), {})
    newer = replace(waits, new="3.5.2-1")
    told, _ = _step(_well(images=view(Path(), [], waiting=(newer,)).images, tick=None), known)
    assert [(one.kind, one.good) for one in told] == [("update", False)]


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (Result.ROLLED_BACK, "rolled-back"),
        (Result.FAILED, "rollout-failed"),
        (Result.ROLLBACK_FAILED, "rollout-failed"),
    ],
)
def test_a_roll_out_that_failed_is_told_as_just_that(result: Result, kind: str) -> None:
    held = replace(instance("alice"), held=Held("alice", result, "web is unhealthy"))
    failed = Tick("c0ffee", (), "failed", "alice", stamp(AT))
    told, known = _step(_well(instances=(held,), tick=failed), {})
    assert [one.kind for one in told] == [kind]
    unanswered, known = _step(_well(answers=False, tick=failed), known)
    assert [one.kind for one in unanswered] == ["agent-failing"]
    assert "the roll-out of alice" in known


def test_an_agent_is_silent_only_after_a_while_and_a_pause_decides_nothing() -> None:
    silent = _well(at=AT + timedelta(minutes=10))
    assert _step(silent, {})[0] == []
    told, known = _step(_well(at=AT + timedelta(minutes=16)), {})
    assert [one.title for one in told] == [f"the agent of web1 has not ticked since {stamp(AT)}"]
    late = _well(at=AT + timedelta(minutes=16))  # who looks at it sees it as well
    assert [(one.kind, late.well) for one in late.problems] == [(Kind.AGENT_SILENT, False)]
    paused = _well(at=AT + HOUR, tick=Tick("c0ffee", (), "paused", "", stamp(AT + HOUR)))
    assert _step(paused, known) == ([], known)
    assert [one.good for one in _step(_well(), known)[0]] == [True]


def test_each_host_is_watched_by_the_next_one_that_lives() -> None:
    ring = ["web1", "web2", "web3", "web4"]
    assert watched("web2", ring, {}) == ["web1"]
    assert watched("web1", ring, {}) == ["web4"]
    assert watched("web4", ring, {"web3": 1, "web2": 1}) == ["web3", "web2", "web1"]
    assert watched("web1", ["web1"], {}) == []
    silent = view(Path(), [instance("alice")])
    told, _ = _step(replace(silent, tick=None), {})
    assert [one.title for one in told] == [f"web2 has said nothing since {stamp(AT - 8 * HOUR)}"]


def test_rules_say_who_hears_of_what_and_when() -> None:
    rules = Notifications.model_validate(
        {
            "to": ["ops"],
            "rules": [
                {"kind": "update", "to": []},
                {"kind": "security-update", "to": ["ops", "boss"], "after": "30d"},
                {"kind": "agent-silent", "after": "1h"},
            ],
        }
    )
    assert [rules.told(kind) for kind in ("update", "security-update", "agent-silent", "job-failing")] == [
        (),
        ("ops", "boss"),
        ("ops",),
        ("ops",),
    ]
    assert rules.everybody == ("ops", "boss")
    assert [rules.after(kind) for kind in (Kind.SECURITY_UPDATE, Kind.AGENT_SILENT, Kind.BACKUP_LATE)] == [
        30 * 86400,
        3600,
        0,
    ]
    with pytest.raises(ValidationError, match="told of at once"):
        Notifications.model_validate({"rules": [{"kind": "job-failing", "after": "1h"}]})
