import json
import subprocess
import sys
from pathlib import Path

from docker.api.client import APIClient

from tests.agent.conftest import FleetOnDisk

GITOPS = Path(sys.executable).parent / "gitops"


def gitops(*args: str) -> str:
    done = subprocess.run([GITOPS, *args], capture_output=True, check=False, text=True)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def test_a_volume_that_git_no_longer_names_is_listed_and_goes_only_when_told_to(fleet: FleetOnDisk) -> None:
    alice, bob = (f"{fleet.name}.{one}.data" for one in ("alice", "bob"))
    fleet.apply()
    assert [one["orphan"] for one in json.loads(gitops("volume", "list", "--json"))["volumes"]] == [
        False,
        False,
    ]
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    fleet.commit()
    fleet.apply()
    assert gitops("volume", "list").splitlines() == [alice, f"{bob}  orphan"]
    assert f"would remove {bob}\nnothing was removed" in gitops("volume", "prune")
    assert fleet.engine.volumes(fleet.name, "web1") == {alice, bob}
    assert gitops("volume", "prune", "--yes") == f"removed {bob}\n"
    assert fleet.engine.volumes(fleet.name, "web1") == {alice}
    assert gitops("volume", "prune", "--yes") == "no volume is an orphan\n"


def test_a_volume_that_any_container_has_is_kept(fleet: FleetOnDisk, api: APIClient) -> None:
    fleet.apply()
    bob = f"{fleet.name}.bob.data"
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    fleet.commit()
    fleet.apply()
    image = fleet.engine.containers(fleet.name, "web1")[0].image
    made = api.create_container(
        image, ["true"], labels={"gitops.fleet": fleet.name}, host_config={"Binds": [f"{bob}:/data"]}
    )
    assert gitops("volume", "prune", "--yes") == f"kept {bob}: a container has it\n"
    api.remove_container(made["Id"])
    assert gitops("volume", "prune", "--yes") == f"removed {bob}\n"
