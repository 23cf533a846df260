"""Images kept as files come back as they were, or not at all."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient
from docker.errors import ImageNotFound

from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.images.kept import Kept
from tests.images.fleets import fleet

ARCHIVE = {"trixie": {"mirror": "https://deb.example.org", "suites": ["trixie"]}}
IMAGES = {"base": {"from": "scratch", "archive": "trixie"}, "web": {"from": "base"}, "db": {"from": "base"}}


@dataclass(frozen=True)
class Stock:
    """Three images on the engine: a base, and two that have its layer and one of their own."""

    fleet: Fleet
    references: dict[tuple[str, str], str]
    kept: Kept
    api: APIClient

    def __getitem__(self, image: str) -> str:
        return self.references[image, "amd64"]

    def lose(self, *images: str) -> None:
        """Take images away from the engine, as a fresh machine has none."""
        for image in images:
            self.api.remove_image(self[image], force=True)

    def supply(self, *images: str) -> list[str]:
        return self.kept.supply(self.fleet, images, self.references, "amd64")


def child(api: APIClient, base: str, image: str) -> str:
    """Make an image with a layer of its own; give its id."""
    made = api.create_container(base, ["touch", f"/data/{image}"])["Id"]
    api.start(made)
    api.wait(made)
    found: str = api.commit(made)["Id"]
    api.remove_container(made)
    return found


@pytest.fixture(scope="module")
def originals(api: APIClient, image: str) -> Iterator[dict[str, str]]:
    made = {name: f"gitops-test-{uuid.uuid4().hex[:8]}/{name}:1" for name in ("web", "db")}
    for name, reference in made.items():
        repository, _, tag = reference.rpartition(":")
        api.tag(child(api, image, name), repository, tag)
    yield {"base": image, **made}
    for reference in made.values():
        api.remove_image(reference, force=True)


@pytest.fixture
def stock(tmp_path: Path, api: APIClient, originals: dict[str, str], fleet_name: str) -> Iterator[Stock]:
    names = {(image, "amd64"): f"{fleet_name}/{image}:{uuid.uuid4().hex}" for image in IMAGES}
    kept = Kept(tmp_path / "kept", Docker())
    for image, original in originals.items():
        kept.engine.tag(original, names[image, "amd64"])
    yield Stock(fleet(tmp_path, ARCHIVE, IMAGES), names, kept, api)
    for name in names.values():
        try:
            api.remove_image(name, force=True)
        except ImageNotFound:
            continue


def test_an_image_comes_back_as_the_very_same_one(stock: Stock) -> None:
    before = child(stock.api, stock["base"], "web")
    stock.kept.engine.tag(before, stock["web"])
    stock.kept.keep([stock["web"]])
    stock.lose("web")
    assert not stock.kept.engine.identify(before), "nothing of it is left"
    assert stock.supply("web") == ["web"]
    assert stock.kept.engine.identify(stock["web"]) == before
    assert stock.kept.engine.read_file(stock["web"], "/data/web") == b""


def test_a_layer_that_many_images_have_is_kept_once(stock: Stock) -> None:
    stock.kept.keep([stock["web"], stock["db"], stock["base"]])
    indexes = [json.loads(index.read_text()) for index in stock.kept.root.glob("*.json")]
    assert len({index["layers"][0] for index in indexes}) == 1
    assert len(list((stock.kept.root / "blobs").iterdir())) == 3 + 3  # configurations, layers


def test_of_an_image_that_is_not_kept_the_parent_comes(stock: Stock) -> None:
    stock.kept.keep([stock["base"]])
    stock.lose("web", "db", "base")
    assert stock.supply("web", "db") == ["base"]


def test_nothing_is_loaded_that_the_engine_has(stock: Stock) -> None:
    stock.kept.keep([stock["base"], stock["web"]])
    assert stock.supply("web", "base") == []


def test_a_directory_that_is_empty_or_not_there_gives_nothing_and_breaks_nothing(stock: Stock) -> None:
    stock.lose("web")
    assert stock.supply("web") == []
    stock.kept.tidy([])
    stock.kept.keep([f"{stock['base']}0"])
    assert not stock.kept.root.exists()


@pytest.mark.parametrize("harm", ["cut", "gone", "other", "index"])
def test_what_is_not_whole_is_not_taken_and_is_kept_anew(stock: Stock, harm: str) -> None:
    stock.kept.keep([stock["web"]])
    (index,) = stock.kept.root.glob("*.json")
    blob = stock.kept.root / "blobs" / json.loads(index.read_text())["layers"][1]
    if harm == "cut":
        blob.write_bytes(blob.read_bytes()[:-100])
    elif harm == "gone":
        blob.unlink()
    elif harm == "other":
        blob.write_bytes(b"x" * blob.stat().st_size)
    else:
        index.write_text('{"config": ')
    again = Kept(stock.kept.root, stock.kept.engine)
    again.keep([stock["web"]])
    stock.lose("web")
    assert Kept(stock.kept.root, stock.kept.engine).supply(
        stock.fleet, ["web"], stock.references, "amd64"
    ) == ["web"]


def test_a_name_that_an_index_makes_up_leads_nowhere(stock: Stock, tmp_path: Path) -> None:
    stock.kept.keep([stock["web"]])
    (index,) = stock.kept.root.glob("*.json")
    (tmp_path / "outside").write_text("x")
    index.write_text(json.dumps({"config": "../../outside", "layers": []}))
    stock.lose("web")
    assert stock.supply("web") == []


def test_tidying_leaves_what_is_named_and_what_that_needs(stock: Stock) -> None:
    stock.kept.keep([stock["web"], stock["db"]])
    stock.kept.tidy([stock["web"]])
    (index,) = stock.kept.root.glob("*.json")
    content = json.loads(index.read_text())
    blobs = {blob.name for blob in (stock.kept.root / "blobs").iterdir()}
    assert blobs == {content["config"], *content["layers"]}
    stock.lose("web")
    assert stock.supply("web") == ["web"]
