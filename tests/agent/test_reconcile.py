import subprocess
from dataclasses import replace

import pytest
from docker.api.client import APIClient

from gitops.agent.generation import current
from gitops.debian.packages import Package
from gitops.deploy.host import look, package_changes, want
from gitops.deploy.plan import plan
from gitops.git.repository import Repository
from gitops.images.lock import Lock, format_lock, parse_lock
from gitops.secrets.age import make_identity
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from tests.agent.conftest import APP, FleetOnDisk


def test_a_commit_becomes_containers_and_a_second_apply_says_that_there_is_nothing_to_do(
    fleet: FleetOnDisk,
) -> None:
    fleet.apply()
    before = fleet.running()
    assert set(before) == {"alice/db", "alice/web", "bob/db", "bob/web"}
    steps, told = fleet.apply()
    assert not steps
    assert told == ["web1: nothing to do"]
    assert fleet.running() == before


def test_only_the_instance_whose_parameter_changed_is_touched(fleet: FleetOnDisk) -> None:
    fleet.apply()
    before = fleet.running()
    fleet.write(
        "hosts/web1.yaml", "instances: {alice: {app: blog, parameters: {greeting: hi}}, bob: {app: blog}}\n"
    )
    fleet.commit()
    _, told = fleet.apply()
    assert told[0] == "recreate alice/web: environment changed"
    after = fleet.running()
    assert {name for name in before if before[name] != after[name]} == {"alice/web"}


def test_an_unchanged_host_costs_one_question_to_the_engine(fleet: FleetOnDisk) -> None:
    fleet.apply()
    wanted = want(fleet.root, None, fleet.places)
    asked = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            return getattr(fleet.engine, name)

    look(Counting(), wanted, fleet.places)  # type: ignore[arg-type]  # it passes every question on to the real engine
    assert asked == ["containers"]


def test_a_changed_image_is_told_by_the_packages_of_the_commit_that_runs(fleet: FleetOnDisk) -> None:
    def lock(version: str) -> None:
        text = (fleet.root / "locks/tiny.amd64.lock").read_text()
        package = Package("openssl", version, "amd64", "openssl", "a", "trixie", "pool/x.deb", 1, "0" * 64)
        request = parse_lock(text, "x").request
        fleet.write("locks/tiny.amd64.lock", format_lock(Lock("tiny", "amd64", request, (package,))))

    lock("3.5.6-1")
    fleet.commit()
    fleet.apply()
    lock("3.5.7-1")
    fleet.commit()
    wanted = want(fleet.root, None, fleet.places)
    because = package_changes(wanted, Repository(fleet.root), fleet.places)
    steps = plan(wanted.desired, look(fleet.engine, wanted, fleet.places), because)
    reasons = [one.reason for one in steps.actions if one.kind == "recreate"]
    assert len(reasons) == 4
    assert all(reason.endswith("because openssl 3.5.6-1 → 3.5.7-1") for reason in reasons)


def test_a_commit_that_does_not_load_never_becomes_the_hosts_generation(fleet: FleetOnDisk) -> None:
    fleet.apply()
    commit = current(fleet.places).commit
    fleet.write("apps/blog.yaml", "services: {web: {image: nothing}}\n")
    fleet.commit()
    with pytest.raises(UserError, match="nothing"):
        fleet.apply()
    assert current(fleet.places).commit == commit


def test_a_fleet_that_places_nothing_removes_nothing_unless_told_to(fleet: FleetOnDisk) -> None:
    fleet.apply()
    fleet.write("hosts/web1.yaml", "instances: {}\n")
    fleet.commit()
    with pytest.raises(UserError, match="--allow-empty"):
        fleet.apply()
    assert len(fleet.running()) == 4
    fleet.apply(allow_empty=True)
    assert fleet.engine.containers(fleet.name, "web1") == []
    assert fleet.engine.networks(fleet.name, "web1") == {}
    assert fleet.engine.volumes(fleet.name, "web1") == {
        f"{fleet.name}.{one}.data" for one in ("alice", "bob")
    }


def test_two_applies_cannot_run_at_once(fleet: FleetOnDisk) -> None:
    with (
        exclusive(fleet.places.runtime / "apply.lock", "the host"),
        pytest.raises(UserError, match="in use by another gitops"),
    ):
        fleet.apply()


def test_a_host_that_is_not_in_the_fleet_is_told_with_the_nearest(fleet: FleetOnDisk) -> None:
    with pytest.raises(UserError, match="did you mean web1"):
        want(fleet.root, "web", fleet.places)


def test_a_secret_is_a_file_that_only_its_service_reads_and_is_nowhere_else(
    fleet: FleetOnDisk, api: APIClient
) -> None:
    recipient = make_identity(fleet.places.config / "age.key")
    fleet.write("hosts/web1.yaml", f"age: {recipient}\ninstances: {{alice: {{app: blog}}}}\n")
    uses = '    secrets: [{source: password, target: db, uid: "33", gid: "33"}]\n'
    fleet.write("apps/blog.yaml", APP + uses)
    encrypt(fleet, recipient, "hunter2hunter2")
    fleet.commit()
    fleet.apply()
    name = f"{fleet.name}.alice.web"
    with fleet.engine.exec(name, ["cat", "/run/secrets/db"], user="33:33") as stream:
        assert b"".join(stream) == b"hunter2hunter2"
    with fleet.engine.exec(name, ["ls", "-ln", "/run/secrets/db"]) as stream:
        listed = b"".join(stream).split()
    assert listed[0] == b"-r--------"
    assert listed[2:4] == [b"33", b"33"]
    assert "hunter2" not in str(api.inspect_container(name))
    assert (fleet.places.runtime / "secrets").stat().st_mode & 0o777 == 0o700
    before = fleet.running()
    encrypt(fleet, recipient, "another value")
    fleet.commit()
    _, told = fleet.apply()
    assert told[0] == "recreate alice/web: secrets changed"
    assert fleet.running()["alice/db"] == before["alice/db"]
    fleet.write("apps/blog.yaml", APP)
    fleet.commit()
    fleet.apply()
    assert not list((fleet.places.runtime / "secrets").iterdir())


def encrypt(fleet: FleetOnDisk, recipient: str, value: str) -> None:
    (fleet.root / "secrets").mkdir(exist_ok=True)
    subprocess.run(
        ["age", "--encrypt", "--armor", "-r", recipient, "-o", fleet.root / "secrets/password.age"],
        input=value.encode(),
        check=True,
    )


def test_what_the_state_remembers_can_be_lost(fleet: FleetOnDisk) -> None:
    fleet.apply()
    elsewhere = replace(fleet, places=fleet.places._replace(state=fleet.places.state / "new"))
    steps, _ = elsewhere.apply()
    assert not steps
