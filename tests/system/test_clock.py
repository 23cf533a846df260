"""Times as people write them."""

import time
from collections.abc import Iterator

import pytest

from gitops.system.clock import moment, stamp
from gitops.system.errors import UserError


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2025-03-01T04:05:06Z", "2025-03-01T04:05:06Z"),
        ("2025-03-01T04:05:06+02:00", "2025-03-01T02:05:06Z"),
        ("2025-03-01 04:05", "2025-03-01T03:05:00Z"),
        ("2025-07-01 04:05:59", "2025-07-01T02:05:59Z"),
        (" 2025-03-01 ", "2025-03-01T22:59:59Z"),
        ("2025-03-30", "2025-03-30T21:59:59Z"),
    ],
)
def test_a_time_is_meant_by_this_machines_clock_and_a_day_up_to_its_end(said: str, meant: str) -> None:
    assert stamp(moment(said)) == meant


@pytest.mark.parametrize("said", ["", "yesterday", "2025-13-01", "2025-03-01 25:00", "03/01/2025"])
def test_what_is_no_time_is_refused_with_examples(said: str) -> None:
    with pytest.raises(UserError, match="is not a time") as caught:
        moment(said)
    assert "write 2025-03-01" in str(caught.value)
