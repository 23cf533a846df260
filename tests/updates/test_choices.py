"""Hold and ignore: what a person asked to leave alone is left alone, as long as it counts."""

from datetime import date

import pytest

from gitops.debian.packages import Package
from gitops.fleet.updates import Updates
from gitops.updates.choices import ended, left_alone
from gitops.updates.difference import Difference

TODAY = date(2026, 11, 24)


def line(name: str, version: str) -> Package:
    return Package(name, version, "all", "openssl", "test", "trixie", f"pool/{name}", 1, "0" * 64)


MOVES = Difference(("web", "amd64"), "libssl3", line("libssl3", "1"), line("libssl3", "2"))
COMES = Difference(("web", "amd64"), "libnew", None, line("libnew", "2"))
GOES = Difference(("web", "amd64"), "libold", line("libold", "1"), None)


def alone(**choices: object) -> dict[str, str]:
    settings = Updates.model_validate({name: [choice] for name, choice in choices.items()})
    return {each.name: words for each, words in left_alone((MOVES, COMES, GOES), settings, TODAY).items()}


@pytest.mark.parametrize(
    ("named", "stay"),
    [
        ({"package": "libssl3"}, {"libssl3"}),
        ({"package": "lib*"}, {"libssl3", "libold"}),
        ({"source": "openssl"}, {"libssl3", "libold"}),
        ({"image": "web"}, {"libssl3", "libold", "libnew"}),
        ({"image": "db"}, set()),
        ({"package": "libssl"}, set()),
    ],
)
def test_a_hold_keeps_what_it_names(named: dict[str, str], stay: set[str]) -> None:
    assert set(alone(hold={**named, "reason": "tested on Monday"})) == stay


def test_a_version_is_passed_over_and_no_other() -> None:
    assert set(alone(ignore={"source": "openssl", "version": "2", "reason": "breaks"})) == {
        "libssl3",
        "libnew",
    }
    assert alone(ignore={"source": "openssl", "version": "3", "reason": "breaks"}) == {}


def test_the_reason_and_the_last_day_are_said() -> None:
    found = alone(hold={"package": "libssl3", "reason": "tested on Monday", "until": TODAY})
    assert found == {"libssl3": "held: tested on Monday, until 2026-11-24"}


def test_after_its_last_day_it_counts_no_more_and_is_told() -> None:
    settings = Updates.model_validate(
        {"hold": [{"package": "libssl3", "reason": "tested on Monday", "until": date(2026, 11, 23)}]}
    )
    assert left_alone((MOVES,), settings, TODAY) == {}
    assert ended(settings, TODAY) == [
        ("hold libssl3", "ended on 2026-11-23; remove it from fleet.yaml"),
    ]
