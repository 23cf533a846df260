import os
import time

import pytest

from gitops.agent.garbage import collect
from gitops.agent.space import require_space
from gitops.debian.packages import Package
from gitops.deploy.host import want
from gitops.engine.leftovers import Leftovers
from gitops.images.lock import Lock, format_lock, parse_lock
from gitops.system.errors import UserError
from tests.agent.conftest import FleetOnDisk


def lock(fleet: FleetOnDisk, version: str, size: int = 1) -> str:
    """Let the one image have a package; give the image's reference."""
    request = parse_lock((fleet.root / "locks/tiny.amd64.lock").read_text(), "x").request
    package = Package("curl", version, "amd64", "curl", "a", "trixie", "pool/x.deb", size, version * 64)
    fleet.write("locks/tiny.amd64.lock", format_lock(Lock("tiny", "amd64", request, (package,))))
    fleet.commit()
    return want(fleet.root, None, fleet.places).references["tiny", "amd64"]


def put(fleet: FleetOnDisk, version: str, *, days: float) -> None:
    path = fleet.places.cache / "store" / (version * 2) / f"{version * 64}.deb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"deb")
    os.utime(path, times=(time.time() - days * 86400,) * 2)


def debs(fleet: FleetOnDisk) -> set[str]:
    return {path.stem[0] for path in (fleet.places.cache / "store").glob("*/*.deb")}


def test_images_and_packages_stay_for_as_long_as_a_rollback_needs_them(fleet: FleetOnDisk) -> None:
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    references = []
    for version in "1234":
        put(fleet, version, days=2)
        references.append(lock(fleet, version))
        fleet.apply()
    put(fleet, "5", days=0.5)
    put(fleet, "6", days=2)
    wanted = want(fleet.root, None, fleet.places)
    collect(wanted, fleet.places)
    with Leftovers() as engine:
        assert set(engine.images(fleet.name)) == set(references[2:])
    assert debs(fleet) == {"3", "4", "5"}
    assert not str(collect(wanted, fleet.places))


def test_an_image_that_a_container_has_is_kept(fleet: FleetOnDisk) -> None:
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    reference = lock(fleet, "1")
    fleet.apply()
    wanted = want(fleet.root, None, fleet.places)
    lock(fleet, "2")
    newer = want(fleet.root, None, fleet.places)
    assert collect(newer, fleet.places).images == ()
    with Leftovers() as engine:
        assert set(engine.images(fleet.name)) == {reference}
    assert wanted.references != newer.references


def test_a_build_that_would_fill_the_disk_is_not_begun(fleet: FleetOnDisk) -> None:
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    lock(fleet, "1")
    fleet.apply()
    before = fleet.running()
    lock(fleet, "2", size=10**15)
    with pytest.raises(UserError, match=r"building tiny takes about [0-9.]+ GB on the disk of /"):
        fleet.apply()
    assert fleet.running() == before
    assert not list(fleet.places.cache.glob("build/*"))
    wanted = want(fleet.root, None, fleet.places)
    require_space(wanted, [], fleet.engine, fleet.places)
