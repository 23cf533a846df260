"""An identity changes with everything that decides an image's content, and with nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.images.identity import identities, reference
from gitops.images.lock import Lock
from gitops.images.locks import request_of, targets
from gitops.system.errors import UserError
from tests.images.fleets import fleet
from tests.images.test_lock import package

IMAGES: dict[str, dict[str, object]] = {
    "base": {"from": "scratch", "archive": "a", "packages": ["tini"]},
    "other": {"from": "scratch", "archive": "a", "packages": ["tini"], "run": ["true"]},
    "web": {"from": "base", "packages": ["nginx"], "copy": [{"source": "site", "target": "/srv/site"}]},
}
ARCHIVES: dict[str, dict[str, object]] = {
    "a": {"mirror": "https://deb.example.org/debian", "suites": ["trixie"]}
}


class Scene:
    """A fleet whose every part a test can change."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.images = {name: dict(image) for name, image in IMAGES.items()}
        self.packages = {name: (package(f"{name}-package"),) for name in IMAGES}
        self.recipe = "recipe"
        self.file = root / "images/web/site/index.html"
        self.file.parent.mkdir(parents=True)
        self.file.write_text("hello")

    def identities(self) -> dict[tuple[str, str], str]:
        made = fleet(self.root, ARCHIVES, self.images)
        locks = {
            (image, arch): Lock(image, arch, request_of(made, image), self.packages[image])
            for image, arch in targets(made)
        }
        return identities(made, locks, self.recipe)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def set_image(name: str, **fields: object) -> Callable[[Scene], object]:
    return lambda scene: scene.images[name].update(fields)


def set_package(name: str, **fields: object) -> Callable[[Scene], object]:
    return lambda scene: scene.packages.update(
        {name: (replace(scene.packages[name][0], **fields),)}  # type: ignore[arg-type]  # a test names its fields
    )


def changed(scene: Scene, change: Callable[[Scene], object]) -> set[str]:
    before = scene.identities()
    change(scene)
    after = scene.identities()
    return {image for image, arch in after if after[image, arch] != before.get((image, arch))}


@pytest.mark.parametrize(
    "change",
    [
        set_image("web", run=["true"]),
        set_image("web", environment={"A": "b"}),
        set_image("web", command=["nginx"]),
        set_image("web", allow=["network"]),
        set_image("web", debconf=["a a/b string c"]),
        set_image("web", copy=[{"source": "site", "target": "/srv/site", "owner": "www-data"}]),
        set_image("web", copy=[{"source": "site", "target": "/srv/site", "mode": "0600"}]),
        set_image("web", **{"from": "other"}),
        set_package("web", version="2.0-1"),
        set_package("web", sha256="1" * 64),
        lambda scene: scene.file.write_text("good bye"),
        lambda scene: scene.file.chmod(0o755),
        lambda scene: scene.file.rename(scene.file.with_name("other.html")),
    ],
)
def test_what_is_in_an_image_is_in_its_identity_alone(
    scene: Scene, change: Callable[[Scene], object]
) -> None:
    assert changed(scene, change) == {"web"}


@pytest.mark.parametrize("change", [set_package("base", version="2.0-1"), set_image("base", run=["true"])])
def test_a_parents_change_reaches_its_children_and_nothing_else(
    scene: Scene, change: Callable[[Scene], object]
) -> None:
    assert changed(scene, change) == {"base", "web"}


def test_a_changed_template_changes_every_image(scene: Scene) -> None:
    assert changed(scene, lambda scene: setattr(scene, "recipe", "another")) == set(IMAGES)


@pytest.mark.parametrize(
    "change",
    [
        set_package("web", archive="mirror-of-a", suite="trixie-updates", path="elsewhere.deb"),
        lambda scene: scene.file.touch(),
        lambda scene: scene.file.chmod(0o640),
        lambda scene: (scene.root / "images/web/not-copied").touch(),
        set_image("web", test=["true"]),
    ],
)
def test_what_is_not_in_an_image_is_not_in_its_identity(
    scene: Scene, change: Callable[[Scene], object]
) -> None:
    assert changed(scene, change) == set()


def test_an_identity_is_32_hexadecimal_digits_and_the_tag(scene: Scene) -> None:
    identity = scene.identities()["web", "amd64"]
    assert len(identity) == 32
    assert int(identity, 16)
    settings = fleet(scene.root, ARCHIVES, IMAGES).settings
    assert reference(settings, "web", identity) == f"f/web:{identity}"
    elsewhere = settings.model_copy(update={"registry": "registry.example.org/team"})
    assert reference(elsewhere, "web", identity) == f"registry.example.org/team/web:{identity}"


def test_there_is_no_identity_without_every_lock(scene: Scene) -> None:
    with pytest.raises(UserError) as error:
        identities(fleet(scene.root, ARCHIVES, IMAGES), {}, "recipe")
    assert len(error.value.problems) == 3
