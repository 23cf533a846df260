"""What is built is what was named, less what need not be."""

from pathlib import Path

import pytest

from gitops.fleet.fleet import Fleet
from gitops.images.asked import asked
from gitops.system.errors import UserError
from tests.images.fleets import fleet

ARCHIVES = {
    "both": {"mirror": "https://deb.example.org", "suites": ["trixie"], "architectures": ["amd64", "arm64"]},
    "one": {"mirror": "https://deb.example.org", "suites": ["trixie"], "architectures": ["amd64"]},
}
IMAGES = {
    "web": {"from": "base"},
    "base": {"from": "scratch", "archive": "both"},
    "shop": {"from": "web"},
    "tool": {"from": "base", "archives": ["one"]},
}


@pytest.fixture
def images(tmp_path: Path) -> Fleet:
    return fleet(tmp_path, ARCHIVES, IMAGES)


def test_without_a_word_it_is_all_parents_first(images: Fleet) -> None:
    assert asked(images, "amd64", None) == ["base", "web", "shop", "tool"]


def test_what_is_not_made_for_the_machine_is_left_out_unless_it_is_named(images: Fleet) -> None:
    assert asked(images, "arm64", None) == ["base", "web", "shop"]
    assert asked(images, "arm64", ["tool"]) == ["tool"]


def test_a_layer_is_what_stands_equally_high(images: Fleet) -> None:
    assert [asked(images, "amd64", None, layer=number) for number in (1, 2, 3)] == [
        ["base"],
        ["web", "tool"],
        ["shop"],
    ]


def test_each_condition_takes_away_from_the_others(images: Fleet) -> None:
    assert asked(images, "amd64", None, layer=2, among={"web", "shop", "tool"}, without={"tool"}) == ["web"]
    assert asked(images, "amd64", ["shop"], layer=2) == []


def test_a_layer_or_an_image_that_is_not_there_is_said(images: Fleet) -> None:
    with pytest.raises(UserError, match="there is no layer 4: the fleet's images are in 3"):
        asked(images, "amd64", None, layer=4)
    with pytest.raises(UserError, match="there is no image wbe"):
        asked(images, "amd64", ["wbe"])


def test_a_fleet_without_images_has_nothing_to_build_in_its_first_layer(tmp_path: Path) -> None:
    assert asked(fleet(tmp_path, ARCHIVES, {}), "amd64", None, layer=1) == []
