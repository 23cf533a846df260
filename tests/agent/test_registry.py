"""From a push to a host that pulls, on its signers' word alone; and the registry cleared of what is left."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from docker.api.client import APIClient
from docker.errors import ImageNotFound

from gitops.deploy.host import want
from gitops.fleet.load import load
from gitops.images.locks import read_locks
from gitops.registry.registry import IMAGE, Registry, connect
from gitops.render.render import render, write
from gitops.secrets.age import encrypt, make_identity
from tests.agent.conftest import FleetOnDisk
from tests.agent.server import Person, Server, agent_settings, person
from tests.registry_fixtures import Key, RegistryServer, new_key

GITOPS = Path(sys.executable).parent / "gitops"


@dataclass
class Harbour:
    """A fleet with a registry, a host that follows it, and the key by which images are vouched for."""

    fleet: FleetOnDisk
    server: RegistryServer
    git: Server
    ada: Person
    ci: Key
    api: APIClient
    ship: Callable[..., str]
    name: str
    made: list[str] = field(default_factory=list)

    def commit(self, mark: str, signing: tuple[str, ...] | None = None) -> str:
        """Change what is in the image, and commit; give its name in the engine."""
        fleet = self.fleet
        fleet.write("images/tiny.yaml", f"from: scratch\narchive: a\nenvironment: {{MARK: {mark}}}\n")
        fleet.lock()
        definitions = load(fleet.root)
        write(fleet.root, render(definitions, read_locks(definitions)))
        self.git.commit(self.ada.signing if signing is None else signing)
        return want(fleet.root, "web1", fleet.places).references["tiny", "amd64"]

    def publish(self, mark: str) -> str:
        """Commit, build and push an image, and take it away from this machine; give its name."""
        reference = self.commit(mark)
        self.made.append(self.ship(reference, mark))
        status, told = self.gitops("push", "--key", str(self.ci.path))
        assert status == 0, told
        self.forget(reference)
        return reference

    def forget(self, reference: str) -> None:
        with suppress(ImageNotFound):
            self.api.remove_image(reference, force=True)

    def seize(self, reference: str, mark: str) -> None:
        """Put another image under a name in the registry, as whoever has its password can."""
        self.ship(reference, mark)
        repository, _, tag = reference.rpartition(":")
        with self.reach() as registry:
            credential = registry.credential()
            assert credential
            self.api.push(repository, tag, auth_config=credential.for_engine())
        self.forget(reference)

    def reach(self) -> Registry:
        return connect(self.name, self.fleet.places)

    def gitops(self, *words: str, **env: str) -> tuple[int, str]:
        """Run a verb in the fleet; give its exit status and all that it said."""
        done = subprocess.run(
            [GITOPS, *words],
            cwd=self.fleet.root,
            env={**os.environ, **env},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, done.stdout


@pytest.fixture
def harbour(
    fleet: FleetOnDisk,
    registry_server: RegistryServer,
    ship: Callable[..., str],
    api: APIClient,
    tmp_path: Path,
) -> Harbour:
    ada, ci = person(tmp_path, "ada"), new_key(tmp_path, "ci")
    name = f"{registry_server.host}/{fleet.name}"
    fleet.places.config.mkdir(parents=True, exist_ok=True)
    (fleet.places.config / "docker").symlink_to(registry_server.docker_config)
    (fleet.places.config / "signers").write_text(ada.line + ci.line)
    agent_settings(fleet.places, f"host: web1\nremotes: [{fleet.root}]\ntrust: {{signers: signers}}\n")
    text = (fleet.root / "fleet.yaml").read_text()
    fleet.write("fleet.yaml", f"{text}registry: '{name}'\n")
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    return Harbour(fleet, registry_server, Server(fleet.root), ada, ci, api, ship, name)


def test_a_host_runs_what_was_pushed_and_vouched_for(harbour: Harbour) -> None:
    reference = harbour.publish("one")
    status, told = harbour.gitops("agent", "once")
    assert status == 0, told
    assert harbour.fleet.engine.identify(reference) == harbour.made[0]
    assert set(harbour.fleet.running()) == {"alice/db", "alice/web"}
    assert harbour.gitops("agent", "once")[0] == 0


def test_a_swapped_image_is_never_run_and_everybody_hears_of_it(harbour: Harbour) -> None:
    reference = harbour.publish("one")
    harbour.seize(reference, "evil")
    status, told = harbour.gitops("agent", "once")
    assert status == 1
    assert f"refused: the image {reference} in the registry: it has the digest sha256:" in told
    assert "built here instead" in told
    assert (harbour.fleet.running(), harbour.fleet.engine.identify(reference)) == ({}, "")
    turns = json.loads(harbour.gitops("history", "--json")[1])["turns"]
    assert [(one["outcome"], reference in one["detail"]) for one in turns if one["kind"] == "pull"] == [
        ("refused", True)
    ]
    assert any(
        "refused: the image" in note for note in json.loads(harbour.gitops("status", "--json")[1])["notes"]
    )
    harbour.gitops("notify")
    assert "the registry" in json.loads((harbour.fleet.places.state / "alerts.json").read_text())


def test_who_vouches_for_images_cannot_sign_what_a_host_runs(harbour: Harbour) -> None:
    ci = Person("ci", harbour.ci.path)
    harbour.commit("one", ci.signing)
    status, told = harbour.gitops("agent", "once")
    assert status == 1
    assert "a key that may sign other things, but not commits" in told


def test_a_push_that_is_killed_anywhere_leaves_nothing_that_a_host_would_believe(harbour: Harbour) -> None:
    reference = harbour.commit("one")
    identity = harbour.ship(reference, "one")
    command = [str(GITOPS), "push", "--key", str(harbour.ci.path)]
    with harbour.reach() as registry:
        statements, image = registry.address.statements, registry.address.repository("tiny")
        for at in (
            f"HEAD /v2/{image}",
            f"POST /v2/{image}",
            f"PUT /v2/{image}/manifests",
            f"HEAD /v2/{statements}",
        ):
            before = len(harbour.server.requests())
            with subprocess.Popen(command, cwd=harbour.fleet.root, stdout=subprocess.DEVNULL) as process:
                while process.poll() is None:
                    if any(line.startswith(at) for line in harbour.server.requests()[before:]):
                        process.kill()
            tag = reference.rpartition(":")[2]
            said = registry.manifest(statements, tag)
            assert said is None or registry.digest(image, tag) in said.content.decode()
        assert harbour.gitops("push", "--key", str(harbour.ci.path))[0] == 0
    harbour.forget(reference)
    status, told = harbour.gitops("agent", "once")
    assert status == 0, told
    assert harbour.fleet.engine.identify(reference) == identity


def test_a_key_may_be_encrypted_or_with_an_agent(harbour: Harbour, tmp_path: Path) -> None:
    place = harbour.fleet.places
    sealed = tmp_path / "ci.age"
    sealed.write_bytes(encrypt(harbour.ci.path.read_bytes(), [make_identity(place.config / "age.key")]))
    harbour.ship(harbour.commit("one"), "one")
    assert "no key to sign statements with" in harbour.gitops("push")[1]
    status, told = harbour.gitops("push", GITOPS_STATEMENT_KEY=str(sealed))
    assert (status, "pushed, sha256:" in told) == (0, True), told
    assert list(place.runtime.glob("gitops-*")) == []
    harbour.ship(harbour.commit("two"), "two")
    public = tmp_path / "public.pub"
    public.write_bytes(harbour.ci.path.with_suffix(".pub").read_bytes())
    command = ["ssh-agent", "sh", "-c", 'ssh-add -q "$1" && exec "$2" push --key "$3"', "-"]
    done = subprocess.run(
        [*command, harbour.ci.path, GITOPS, public],
        cwd=harbour.fleet.root,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, "pushed, sha256:" in done.stdout) == (0, True), done.stderr
    told = harbour.gitops("registry", "list", "--verify")[1]
    assert told.count("good") == 2, told


def test_what_nobody_needs_goes_and_nothing_else(harbour: Harbour) -> None:
    """Commits a (tagged), b (which the host runs), c (needed by nobody) and d (the newest)."""
    fleet = harbour.fleet
    fleet.write("hosts/web1.yaml", "report: {}\ninstances: {alice: {app: blog}}\n")
    a = harbour.publish("a")
    harbour.git.git("tag", "v1")
    b = harbour.publish("b")
    status, told = harbour.gitops("agent", "once")
    assert status == 0, told
    c, d = harbour.publish("c"), harbour.publish("d")
    harbour.git.git("remote", "add", "origin", str(fleet.root))
    with harbour.reach() as registry:
        image, identity = registry.address.repository("tiny"), c.rpartition(":")[2]
        made = registry.manifest(image, identity)
        assert made
        registry.put_manifest(image, "stable", made.content, IMAGE)
        gc = ("registry", "gc", "--generations", "1", "--spare", "0s")
        told = harbour.gitops(*gc)[1]
        assert f"stays: {image}:{identity}: {image}:stable is the same" in told
        assert "3 images are needed, 0 by nobody" in told
        registry.put_manifest(image, "stable", made.content + b"\n", IMAGE)
        assert f"would remove {image}:{identity}\n" in harbour.gitops(*gc)[1]
        assert "pushed at" in harbour.gitops(*gc[:-2])[1]
        assert registry.digest(image, identity)
        with ThreadPoolExecutor(2) as pool:  # somebody else clears it at the same time
            cleared = list(pool.map(lambda _: harbour.gitops(*gc, "--yes"), range(2)))
        assert [status for status, _ in cleared] == [0, 0], cleared
        assert f"removed {image}:{identity}" in cleared[0][1] + cleared[1][1]
        kept = {one.rpartition(":")[2] for one in (a, b, d)}
        assert set(registry.tags(image)) == {*kept, "stable"}
        assert set(registry.tags(registry.address.statements)) == kept
        assert harbour.gitops("registry", "list", "--verify")[0] == 0


def test_nothing_goes_where_a_host_cannot_be_believed_or_the_registry_keeps_all(harbour: Harbour) -> None:
    harbour.publish("a")
    harbour.git.git("remote", "add", "origin", str(harbour.fleet.root))
    old = harbour.publish("b")
    harbour.commit("c")
    gc = ("registry", "gc", "--generations", "1", "--spare", "0s", "--yes")
    harbour.server.stop()
    harbour.server.delete = False
    harbour.server.start()
    try:
        status, told = harbour.gitops(*gc)
    finally:
        harbour.server.stop()
        harbour.server.delete = True
        harbour.server.start()
    assert (status, "storage.delete.enabled" in told) == (1, True), told
    harbour.fleet.write("hosts/web1.yaml", "report: {}\ninstances: {alice: {app: blog}}\n")
    harbour.git.git("branch", "gitops/reports/web1")
    status, told = harbour.gitops(*gc)
    assert (status, "nothing was removed: what web1 runs is not known" in told) == (1, True), told
    with harbour.reach() as registry:
        assert registry.digest(registry.address.repository("tiny"), old.rpartition(":")[2])
