"""The questions that other rooms ask have one answer, the same every time."""

import pytest

from gitops.fleet.fleet import layers
from gitops.fleet.load import load
from gitops.system.errors import UserError
from tests.fleet.conftest import Write


def test_parents_come_before_their_children_in_the_same_order_every_time(fleet_with: Write) -> None:
    fleet = load(fleet_with({"images/a.yaml": "from: site\n"}))
    assert fleet.parents_first() == ["base", "site", "a", "db"]
    assert fleet.parents_first(["a"]) == ["base", "site", "a"]
    assert fleet.children("base") == ("db", "site")


def test_a_layer_has_the_images_that_stand_equally_high(fleet_with: Write) -> None:
    assert layers(load(fleet_with({"images/a.yaml": "from: site\n"}))) == [["base"], ["db", "site"], ["a"]]


def test_archives_are_inherited_first_and_architectures_are_what_all_of_them_have(fleet_with: Write) -> None:
    fleet = load(fleet_with({}))
    assert fleet.archives_of("site") == ("trixie", "own")
    assert fleet.architectures_of("base") == ("amd64", "arm64")
    assert fleet.architectures_of("site") == ("amd64",)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (("one", "carol"), "one runs no instance carol\n  known: alice, bob"),
        (("two", "alice"), "there is no host two\n  known: one"),
    ],
)
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(
    ask: tuple[str, str], message: str, fleet_with: Write
) -> None:
    with pytest.raises(UserError) as caught:
        load(fleet_with({})).instance(*ask)
    assert str(caught.value) == message
