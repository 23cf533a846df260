"""Images are built from exactly what their locks name, and have a name only when they are right."""

import hashlib
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from docker.api.client import APIClient

from gitops.debian.store import Store
from gitops.engine.docker import Docker
from gitops.images import inventory
from gitops.images.build import Built
from gitops.images.machine import require_machine
from gitops.system.errors import UserError
from gitops.system.progress import Amount
from tests.images.conftest import Yard

Read = Callable[[Built, str], str]


def layers(reference: str) -> list[dict[str, tuple[object, ...]]]:
    """Read an image's layers: path to kind, mode, owner, time, link target and content."""
    saved = subprocess.run(["docker", "save", reference], capture_output=True, check=True).stdout
    found = []
    with tarfile.open(fileobj=io.BytesIO(saved)) as image:
        manifest = json.load(image.extractfile("manifest.json") or io.BytesIO())
        for name in manifest[0]["Layers"]:
            with tarfile.open(fileobj=image.extractfile(name)) as layer:
                found.append({member.name: _facts(layer, member) for member in layer})
    return found


def _facts(layer: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[object, ...]:
    file = layer.extractfile(member) if member.isreg() else None
    content = hashlib.sha256(file.read()).hexdigest() if file else ""
    return member.type, member.mode & 0o7777, member.uid, member.gid, member.mtime, member.linkname, content


def is_there(reference: str) -> bool:
    return bool(Docker().images([reference]))


def identity(api: APIClient, reference: str) -> str:
    (image,) = api.images(filters={"reference": reference})
    return str(image["Id"])


def untagged(api: APIClient) -> set[str]:
    return {image["Id"] for image in api.images(filters={"dangling": True})}


def write(yard: Yard, path: str, content: str = "content", mode: int = 0o644) -> None:
    file = yard.root / "images" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    file.chmod(mode)


def test_two_builds_of_a_base_give_the_same_tree(yard: Yard, api: APIClient) -> None:
    fleet = yard.fleet()
    before = yard.build(fleet)["base"]
    first, old = layers(before.reference), identity(api, before.reference)
    again = yard.build(fleet, "base", again=True)["base"]
    assert old not in untagged(api)
    assert again.seconds is not None
    assert layers(again.reference) == first


def test_a_base_has_no_trace_of_where_it_was_built(yard: Yard) -> None:
    (tree,) = layers(yard.build(yard.fleet())["base"].reference)
    files = {f"/{path.removeprefix('./')}" for path, facts in tree.items() if facts[0] == tarfile.REGTYPE}
    assert "/usr/bin/apt-get" in files
    assert not {path for path in files if path.startswith(("/etc/apt/sources.list", "/etc/hostname"))}
    assert not {path for path in files if path.startswith("/var/lib/apt/lists/")} - {
        "/var/lib/apt/lists/lock"
    }
    assert not {path for path in files if path.endswith((".deb", "pkgcache.bin", "99mmdebstrap"))}


def test_two_builds_of_a_child_give_the_same_tree(yard: Yard) -> None:
    write(yard, "web/site/a/index.html")
    fleet = yard.fleet(
        web={
            "packages": ["plain", "nginx-light"],
            "archives": ["trixie", "own"],
            "copy": [{"source": "site", "target": "/srv/site", "owner": "www-data"}],
            "run": ["date >/etc/built; ln -s x /etc/link", ["rm", "/etc/built"]],
        }
    )
    first = layers(yard.build(fleet, again=True)["web"].reference)
    again = yard.build(fleet, "web", again=True)["web"]
    assert layers(again.reference) == first
    assert len(first) == 3


def test_an_image_that_only_copies_files_has_an_empty_lock_and_is_built(yard: Yard, read: Read) -> None:
    write(yard, "files/conf", "copied")
    fleet = yard.fleet(files={"copy": [{"source": "conf", "target": "/etc/new/conf", "mode": "0640"}]})
    locks = yard.lock(fleet)
    assert locks["files", "amd64"].packages == ()
    built = yard.build(fleet, locks=locks)["files"]
    assert read(built, "/etc/new/conf") == "copied"


def test_copied_files_have_their_owner_and_the_directories_of_the_image_keep_theirs(yard: Yard) -> None:
    for path in ("site/index.html", "site/run", "etc/site.conf", "tmp/x"):
        write(yard, f"web/{path}", mode=0o755 if path.endswith("run") else 0o644)
    fleet = yard.fleet(
        web={
            "copy": [
                {"source": "site", "target": "/srv/site", "owner": "www-data:adm"},
                {"source": "etc", "target": "/etc", "owner": "www-data"},
                {"source": "tmp/x", "target": "/opt/y", "mode": "4711"},
                {"source": "tmp/x", "target": "/bin/through-a-link"},
            ]
        }
    )
    *_, tree = layers(yard.build(fleet)["web"].reference)
    owners = {path: facts[1:4] for path, facts in tree.items()}
    assert owners["srv/site"] == (0o755, 33, 4)
    assert owners["srv/site/index.html"] == (0o644, 33, 4)
    assert owners["srv/site/run"] == (0o755, 33, 4)
    assert owners["etc/site.conf"] == (0o644, 33, 33)
    assert owners["opt/y"] == (0o4711, 0, 0)
    assert owners["usr/bin/through-a-link"] == (0o644, 0, 0)
    assert owners["srv"] == owners["etc"] == owners["usr/bin"] == (0o755, 0, 0)


def test_files_for_an_owner_that_the_image_does_not_know_are_refused(yard: Yard) -> None:
    write(yard, "web/x")
    fleet = yard.fleet(web={"copy": [{"source": "x", "target": "/x", "owner": "nobody-such"}]})
    with pytest.raises(UserError, match="the image has no user nobody-such"):
        yard.build(fleet)


def test_a_changed_deb_in_the_store_is_refused(yard: Yard) -> None:
    yard.own.add_package("tampered", "1.0", files={"/x": yard.name})
    yard.own.publish()
    fleet = yard.fleet(web={"packages": ["tampered"]})
    locks = yard.lock(fleet)
    (package,) = locks["web", "amd64"].packages
    store = Store(yard.places.cache / "store")
    store.fetch([package], {"own": [yard.own.mirror]})
    path = store.path(package.sha256)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(UserError, match="in the store is not the file that its lock names") as error:
        yard.build(fleet, locks=locks)
    assert error.value.problems[0].file == str(path)
    assert not is_there(yard.references(fleet, locks)["web", "amd64"])
    path.unlink()
    assert yard.build(fleet, locks=locks)["web"].seconds is not None


def test_an_image_with_other_packages_than_its_lock_gets_no_name_and_is_gone(
    yard: Yard, api: APIClient
) -> None:
    fleet = yard.fleet(web={"packages": ["plain"], "run": [["dpkg", "--purge", "plain"]]})
    locks, before = yard.lock(fleet), untagged(api)
    with pytest.raises(UserError, match=r"plain: not installed, by the lock 1\.0"):
        yard.build(fleet, locks=locks)
    assert not is_there(yard.references(fleet, locks)["web", "amd64"])
    assert untagged(api) <= before


def test_what_runs_in_a_build_has_no_network_unless_the_image_says_so(yard: Yard, read: Read) -> None:
    command = "cut -s -d: -f1 /proc/net/dev | tr -d ' ' >/etc/interfaces"
    fleet = yard.fleet(shut={"run": [command]}, open={"run": [command], "allow": ["network"]})
    built = yard.build(fleet)
    assert read(built["shut"], "/etc/interfaces").split() == ["lo"]
    assert "eth0" in read(built["open"], "/etc/interfaces").split()


def test_no_service_starts_during_a_build(yard: Yard) -> None:
    yard.own.add_package(
        "service",
        "1.0",
        files={"/etc/init.d/demo": "#!/bin/sh\ntouch /etc/started\n"},
        scripts={"postinst": "#!/bin/sh\nset -e\ninvoke-rc.d demo start\ntouch /etc/configured\n"},
    )
    yard.own.publish()
    *_, tree = layers(yard.build(yard.fleet(web={"packages": ["service"]}))["web"].reference)
    assert "etc/configured" in tree
    assert "etc/started" not in tree
    assert "usr/sbin/policy-rc.d" not in tree


def test_an_answer_for_debconf_is_honoured(yard: Yard, read: Read) -> None:
    yard.own.add_package(
        "asking",
        "1.0",
        depends="debconf",
        scripts={
            "templates": "Template: asking/word\nType: string\nDefault: default\nDescription: Word\n",
            "config": "#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_input high asking/word || :\ndb_go\n",
            "postinst": "#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_get asking/word\n"
            'echo "$RET" >/etc/word\n',
        },
    )
    yard.own.publish()
    fleet = yard.fleet(
        web={"packages": ["asking"], "debconf": ["asking asking/word string $(our) 'word'"]},
        plain={"packages": ["asking"]},
    )
    built = yard.build(fleet)
    assert read(built["web"], "/etc/word") == "$(our) 'word'\n"
    assert read(built["plain"], "/etc/word") == "default\n"


def test_an_image_that_exists_is_not_built_again(yard: Yard, api: APIClient) -> None:
    fleet = yard.fleet(web={"packages": ["plain"]})
    locks = yard.lock(fleet)
    first = yard.build(fleet, locks=locks)
    assert first["base"].seconds is None
    made = identity(api, first["web"].reference)
    second = yard.build(fleet, locks=locks)
    assert second["web"] == replace(first["web"], seconds=None)
    assert identity(api, first["web"].reference) == made


def test_independent_images_are_built_at_the_same_time(yard: Yard) -> None:
    meeting = threading.Barrier(2, timeout=120)
    met: set[str] = set()

    def progress(image: str, _: str, _far: Amount | None = None, /) -> None:
        if image not in met:
            met.add(image)
            meeting.wait()  # neither can go on before the other is being built too

    fleet = yard.fleet(one={"run": ["true"]}, other={"run": ["true"], "labels": {"a": "b"}})
    assert set(yard.build(fleet, progress=progress)) == {"base", "one", "other"}
    assert met == {"one", "other"}


def test_a_failure_is_told_with_its_last_lines_and_holds_back_nothing_else(yard: Yard) -> None:
    fleet = yard.fleet(
        bad={"run": ["echo what went wrong >&2; exit 3"]},
        child={"from": "bad", "run": ["true"]},
        good={"run": ["true"], "labels": {"good": "yes"}},
    )
    locks = yard.lock(fleet)
    with pytest.raises(UserError) as error:
        yard.build(fleet, locks=locks)
    (problem,) = error.value.problems
    assert problem.file == "images/bad.yaml"
    assert "what went wrong" in problem.hint
    known = yard.references(fleet, locks)
    assert is_there(known["good", "amd64"])
    assert not is_there(known["bad", "amd64"])
    assert not is_there(known["child", "amd64"])


def test_building_one_image_builds_what_it_stands_on_and_no_other(yard: Yard) -> None:
    fleet = yard.fleet(
        below={"run": ["true"], "labels": {"below": "yes"}},
        above={"from": "below", "run": ["true"]},
        aside={"run": ["true"], "labels": {"aside": "yes"}},
    )
    assert {name: one.seconds is None for name, one in yard.build(fleet, "above").items()} == {
        "base": True,
        "below": False,
        "above": False,
    }


def test_the_inventory_of_an_image_is_its_closure(yard: Yard, read: Read) -> None:
    fleet = yard.fleet(web={"packages": ["plain"]})
    locks = yard.lock(fleet)
    status = read(yard.build(fleet, locks=locks)["web"], inventory.STATUS)
    names = {line.removeprefix("Package: ") for line in status.splitlines() if line.startswith("Package: ")}
    assert names == {package.name for key in locks for package in locks[key].packages}


def test_an_architecture_that_this_machine_cannot_run_is_refused() -> None:
    with pytest.raises(UserError, match="cannot be built here") as error:
        require_machine("riscv64")
    assert "qemu-user-static" in str(error.value)


def test_a_build_leaves_no_room_behind(yard: Yard) -> None:
    built = yard.build(yard.fleet(web={"run": ["true"], "labels": {"room": yard.name}}))["web"]
    assert not (yard.places.cache / "build" / built.reference.rpartition(":")[2]).exists()
