import pytest
from pydantic import ValidationError

from gitops.fleet.rollout import Rollout


@pytest.mark.parametrize(
    ("batch", "instances", "size"),
    [("10%", 100, 10), ("10%", 1, 1), ("10%", 11, 2), ("100%", 7, 7), (3, 100, 3), ("5", 2, 5)],
)
def test_a_batch_is_a_number_or_a_part_rounded_up(batch: str | int, instances: int, size: int) -> None:
    assert Rollout.model_validate({"batch": batch}).batch_of(instances) == size


@pytest.mark.parametrize("batch", [0, "0%", "101%", "ten", "-1", True, 1.5])
def test_what_is_no_part_of_the_instances_is_refused(batch: object) -> None:
    with pytest.raises(ValidationError):
        Rollout.model_validate({"batch": batch})


def test_instances_whose_app_says_nothing_change_a_tenth_at_a_time_and_go_back_when_they_fail() -> None:
    assert Rollout() == Rollout(
        batch="10%", order="stop-first", wait=10, on_failure="rollback", max_failures=0
    )
