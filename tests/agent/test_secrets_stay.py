"""A secret's value is in its container's file, and nowhere else that anybody could read it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.secrets.age import make_identity
from gitops.system.errors import UserError
from tests.agent.conftest import APP, LOOP, FleetOnDisk

GITOPS = Path(sys.executable).parent / "gitops"
VALUE = "correct-horse-battery-staple"
USES = '    secrets: [{source: password, target: db, uid: "33", gid: "33"}]\n'


def gitops(fleet: FleetOnDisk, *args: str, stdin: str = "") -> str:
    """Run a verb as loudly as it can; give all that it says."""
    done = subprocess.run(
        [GITOPS, "--verbose", *args], cwd=fleet.root, input=stdin, capture_output=True, check=False, text=True
    )
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def looked_at(fleet: FleetOnDisk, api: APIClient, *, insides: bool) -> Iterator[tuple[str, str]]:
    """Give all that can be read about the host, and where.

    Args:
        fleet: the fleet.
        api: its engine.
        insides: also what containers themselves say, for those that say nothing of it.
    """
    for verb in ("plan", "status", "history", "check"):
        yield verb, gitops(fleet, verb)
        if verb != "check":
            yield f"{verb} --json", gitops(fleet, verb, "--json")
    for number in range(1, 20):
        yield f"history show {number}", gitops(fleet, "history", "show", str(number))
    for one in fleet.engine.containers(fleet.name, "web1"):
        told = api.inspect_container(one.id)
        if not insides:
            told["State"].pop("Health", None)
        yield f"inspect {one.name}", str(told)
        history = ["docker", "history", "--no-trunc", one.image]
        yield f"history of {one.image}", subprocess.check_output(history, text=True)
        if insides:
            yield f"logs of {one.name}", api.logs(one.id).decode()
    secrets = fleet.places.runtime / "secrets"
    for top in (fleet.root, fleet.places.config.parents[1]):
        for path in top.rglob("*"):
            if path.is_file() and secrets not in path.parents:
                yield str(path), path.read_bytes().decode(errors="replace")


@pytest.fixture
def with_secret(fleet: FleetOnDisk) -> FleetOnDisk:
    """A host that runs alice, whose web service has the secret."""
    recipient = make_identity(fleet.places.config / "age.key")
    fleet.write("hosts/web1.yaml", f"age: {recipient}\ninstances: {{alice: {{app: blog}}}}\n")
    fleet.write("apps/blog.yaml", APP + USES)
    assert VALUE not in gitops(fleet, "secret", "set", "password", stdin=VALUE)
    fleet.commit()
    fleet.apply()
    return fleet


def test_nothing_that_can_be_read_of_a_host_shows_it(with_secret: FleetOnDisk, api: APIClient) -> None:
    assert _read(with_secret) == VALUE
    assert VALUE not in gitops(with_secret, "apply")
    for where, text in looked_at(with_secret, api, insides=True):
        assert VALUE not in text, where


def test_a_container_that_lets_it_out_and_fails_is_not_repeated(
    with_secret: FleetOnDisk, api: APIClient
) -> None:
    shout = "    healthcheck: {test: cat /run/secrets/db; exit 1, interval: 200ms, retries: 1}\n"
    with_secret.write("apps/blog.yaml", APP + USES + shout)
    with_secret.commit()
    told = gitops(with_secret, "apply")
    assert "alice/web is unhealthy" in told
    assert "***" in told
    assert VALUE not in told
    assert VALUE not in gitops(with_secret, "apply")
    for where, text in looked_at(with_secret, api, insides=False):
        assert VALUE not in text, where


def test_one_that_cannot_be_read_stops_nothing_that_runs(with_secret: FleetOnDisk) -> None:
    before = with_secret.running()
    other = make_identity(with_secret.root.parent / "other.key")
    encrypted = subprocess.run(
        ["age", "--encrypt", "--armor", "-r", other], input=b"x", check=True, capture_output=True
    ).stdout
    (with_secret.root / "secrets/password.age").write_bytes(encrypted)
    with_secret.commit()
    with pytest.raises(UserError, match="gitops secret rekey"):
        with_secret.apply()
    assert with_secret.running() == before


def test_an_instance_that_goes_back_finds_the_secret_that_it_had(with_secret: FleetOnDisk) -> None:
    _fail_with_another(with_secret)
    assert _read(with_secret) == VALUE


def test_after_a_reboot_a_container_that_git_has_left_behind_finds_its_secret_again(
    with_secret: FleetOnDisk, api: APIClient
) -> None:
    _fail_with_another(with_secret)
    for number in range(2):  # generations are forgotten meanwhile, the one that it was made from, too
        with_secret.write("apps/other.yaml", f"services: {{web: {{image: tiny, hostname: h{number}}}}}\n")
        with_secret.commit()
        with pytest.raises(UserError, match="rolled back alice"):
            with_secret.apply()
    before = with_secret.running()
    api.stop(before["alice/web"], timeout=1)
    shutil.rmtree(with_secret.places.runtime)
    with pytest.raises(UserError, match="rolled back alice"):
        with_secret.apply()
    assert with_secret.running() == before
    assert _read(with_secret) == VALUE


def test_secrets_that_no_container_has_any_more_are_kept_nowhere(with_secret: FleetOnDisk) -> None:
    with_secret.write("apps/blog.yaml", APP)
    with_secret.commit()
    with_secret.apply()
    assert not list((with_secret.places.runtime / "secrets").glob("*"))
    assert not list((with_secret.places.state / "secrets").glob("*"))


def _fail_with_another(fleet: FleetOnDisk) -> None:
    gitops(fleet, "secret", "set", "password", stdin="newer-value")
    fails = LOOP.replace("trap", "test $$(cat /run/secrets/db) != newer-value || exit 1; trap")
    fleet.write(
        "apps/blog.yaml", APP.replace(f"command: {LOOP!r}\n    env", f"command: {fails!r}\n    env") + USES
    )
    fleet.commit()
    with pytest.raises(UserError, match="alice"):
        fleet.apply()


def _read(fleet: FleetOnDisk) -> str:
    with fleet.engine.exec(f"{fleet.name}.alice.web", ["cat", "/run/secrets/db"]) as stream:
        return b"".join(stream).decode()


def test_only_root_reaches_the_directory_that_has_them_all(with_secret: FleetOnDisk) -> None:
    secrets = with_secret.places.runtime / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in secrets.iterdir()] == ["alice"]
    assert len(list(secrets.glob("*/*/*"))) == 1
    assert next(secrets.glob("*/*/*")).stat().st_mode & 0o777 == 0o400
