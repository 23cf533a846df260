"""What the registry does not have, or has wrongly, is built here; with a real build."""

from collections.abc import Callable
from pathlib import Path

from docker.api.client import APIClient

from gitops.engine.docker import Docker
from gitops.images.build import build
from gitops.images.pull import Supply
from gitops.images.push import Push
from gitops.registry.registry import Registry, connect
from gitops.registry.transport import Patience
from gitops.render.dockerfile import dockerfile
from gitops.system.progress import silent
from tests.images.conftest import Yard
from tests.registry_fixtures import RegistryServer, new_key


def test_an_image_that_is_away_or_was_swapped_is_built_from_packages(
    yard: Yard,
    registry_server: RegistryServer,
    ship: Callable[..., str],
    api: APIClient,
    tmp_path: Path,
) -> None:
    fleet, engine = yard.fleet(leaf={"packages": ["plain"]}), Docker()
    locks = yard.lock(fleet)
    prefix = f"{registry_server.host}/{yard.name}"
    names = {key: f"{prefix}/{old.partition('/')[2]}" for key, old in yard.references(fleet, locks).items()}
    base, leaf = names["base", "amd64"], names["leaf", "amd64"]
    engine.tag(yard.references(fleet, locks)["base", "amd64"], base)
    key = new_key(tmp_path, "ci")
    (tmp_path / "signers").write_text(key.line)
    told: list[str] = []
    refused: dict[str, str] = {}

    def make(registry: Registry) -> bool:
        """Have the leaf; tell whether it was built here."""
        supply = Supply(
            fleet,
            locks,
            names,
            engine,
            registry,
            tmp_path / "signers",
            parents_only=False,
            tell=told.append,
            refused=refused.__setitem__,
            progress=silent,
        )
        done = build(
            fleet,
            locks,
            ["leaf"],
            "amd64",
            dockerfile=lambda image: dockerfile(fleet, image, "amd64", names),
            references=names,
            engine=engine,
            places=yard.places,
            progress=silent,
            supply=supply,
        )
        return {one.image: one.seconds is not None and not one.pulled for one in done}["leaf"]

    places = registry_server.places(tmp_path / "host")
    try:
        with connect("127.0.0.1:1/x", places, Patience(attempts=1)) as away:
            assert make(away)
        assert "images are built here" in told[0]
        assert engine.read_file(leaf, "/usr/share/plain/file") == b"plain"
        with connect(prefix, places) as registry:
            work = Push(fleet, "amd64", {"leaf": leaf}, engine, registry, key.path, silent, told.append)
            assert work.run(["leaf"])[0].digest
            ship(leaf, "evil")
            credential = registry.credential()
            assert credential
            repository, _, tag = leaf.rpartition(":")
            api.push(repository, tag, auth_config=credential.for_engine())
            api.remove_image(leaf, force=True)
            assert make(registry)
        assert "it has the digest" in refused[leaf]
        assert engine.read_file(leaf, "/usr/share/plain/file") == b"plain"
    finally:
        for name in (leaf, base):
            api.remove_image(name, force=True)
