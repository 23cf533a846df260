"""Updates are found on a real signed archive, and only what they concern moves."""

from gitops.git.repository import Repository
from gitops.updates.effect import PackageUpdate, Place, Rebuild
from tests.archive import SigningKey, served
from tests.updates.conftest import Scene


def test_nothing_newer_is_no_update(scene: Scene) -> None:
    found = scene.find()
    assert (found.files, found.findings, found.effect.packages) == ({}, (), ())
    assert [place.instance for place in found.effect.kept] == ["alice", "bob", "carol"]


def test_a_child_s_package_moves_that_child_alone(scene: Scene) -> None:
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common (= 1.26-2)")
    scene.archive.add_package("nginx-common", "1.26-2", fields={"Source": "nginx"})
    scene.archive.publish()
    found = scene.find()
    running = ("alice@one", "bob@one", "carol@two")
    assert found.effect.packages == (
        PackageUpdate("nginx", "nginx", "1.26-1", "1.26-2", "test/trixie", ("web",), running),
        PackageUpdate("nginx", "nginx-common", "1.26-1", "1.26-2", "test/trixie", ("web",), running),
    )
    assert found.effect.rebuilt == (Rebuild("web", ("amd64",), None),)
    assert found.effect.kept == (Place("one", "alice", ("db",)), Place("one", "bob", ("db",)))
    assert sorted(found.files) == ["locks/web.amd64.lock"]


def test_a_parent_s_update_reaches_every_child_with_no_change_of_its_own(scene: Scene) -> None:
    scene.archive.add_package("libssl", "3.5.7-1", fields={"Source": "openssl"})
    scene.archive.publish()
    found = scene.find()
    assert [(each.source, each.name, each.old, each.new) for each in found.effect.packages] == [
        ("openssl", "libssl", "3.5.6-1", "3.5.7-1")
    ]
    assert set(found.effect.rebuilt) == {
        Rebuild("base", ("amd64",), None),
        Rebuild("db", ("amd64",), "base"),
        Rebuild("web", ("amd64",), "base"),
    }
    assert found.effect.packages[0].instances == ("alice@one", "bob@one", "carol@two")
    assert [path for path in found.files if path.startswith("locks/")] == ["locks/base.amd64.lock"]
    assert "rendered/images/db.amd64.Dockerfile" in found.files


def test_epochs_and_tildes_are_ordered_as_debian_does(scene: Scene) -> None:
    scene.archive.add_package("mariadb", "12.0-1")
    scene.archive.add_package("libssl", "3.5.6~rc2-1")
    scene.archive.publish()
    assert scene.find().files == {}
    scene.archive.add_package("mariadb", "1:11.10-1")
    scene.archive.publish()
    assert [each.new for each in scene.find().effect.packages] == ["1:11.10-1"]


def test_a_security_suite_on_another_mirror_is_considered_once_it_is_named(
    scene: Scene, archive_key: SigningKey
) -> None:
    with served(scene.root.parent / "security", archive_key) as security:
        security.add_package("libssl", "3.5.6-1+deb13u1", suite="trixie-security")
        security.publish("trixie-security")
        assert scene.find().files == {}
        scene.settings("trixie", f"{{suite: trixie-security, mirror: '{security.mirror}'}}")
        scene.commit()
        (update,) = scene.find().effect.packages
        assert (update.new, update.suite) == ("3.5.6-1+deb13u1", "test/trixie-security")


def test_what_is_not_committed_is_not_looked_at(scene: Scene) -> None:
    (scene.root / "images/web.yaml").write_text("from: base\npackages: [nginx, no-such-package]\n")
    assert scene.find().files == {}
    assert Repository(scene.root).dirty() == ("images/web.yaml",)


def test_a_package_that_vanished_is_a_finding_and_holds_back_nothing_else(scene: Scene) -> None:
    scene.archive.remove("mariadb")
    scene.archive.add_package("libssl", "3.5.7-1", fields={"Source": "openssl"})
    scene.archive.publish()
    found = scene.find()
    (finding,) = found.findings
    assert (finding.image, finding.architecture) == ("db", "amd64")
    assert "no package mariadb" in finding.reason
    assert [each.name for each in found.effect.packages] == ["libssl"]


def test_an_update_that_cannot_be_installed_is_a_finding_with_apt_s_reason(scene: Scene) -> None:
    scene.archive.remove("nginx", "1.26-1")
    scene.archive.add_package("nginx", "1.28-1", depends="libnginx (>= 9)")
    scene.archive.add_package("mariadb", "1:11.9-1")
    scene.archive.publish()
    found = scene.find()
    (finding,) = found.findings
    assert finding.image == "web"
    assert "libnginx" in finding.reason
    assert [each.name for each in found.effect.packages] == ["mariadb"]


def test_a_parent_stays_where_a_child_cannot_follow_it(scene: Scene) -> None:
    scene.archive.add_package("libssl", "4.0-1", fields={"Source": "openssl"})
    scene.archive.remove("nginx", "1.26-1")
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common, libssl (<< 4)")
    scene.archive.add_package("mariadb", "1:11.9-1")
    scene.archive.publish()
    found = scene.find()
    assert [(each.image, "web cannot follow" in each.reason) for each in found.findings] == [("base", True)]
    assert sorted(each.name for each in found.effect.packages) == ["mariadb", "nginx"]


def test_a_new_dependency_and_one_that_goes_are_told(scene: Scene) -> None:
    scene.archive.add_package("nginx", "1.27-1", depends="libnginx")
    scene.archive.add_package("libnginx", "1.27-1", fields={"Source": "nginx"})
    scene.archive.publish()
    moves = {each.name: (each.old, each.new) for each in scene.find().effect.packages}
    assert moves == {
        "nginx": ("1.26-1", "1.27-1"),
        "nginx-common": ("1.26-1", None),
        "libnginx": (None, "1.27-1"),
    }


def test_a_pin_that_keeps_a_newer_version_out_is_obeyed(scene: Scene) -> None:
    scene.archive.add_package("mariadb", "1:12.0-1", suite="trixie-backports")
    scene.archive.publish("trixie-backports")
    scene.settings("trixie", "trixie-backports")
    settings = scene.root / "fleet.yaml"
    text = settings.read_text()
    settings.write_text(f"{text}    pins: [{{pin: 'release n=trixie-backports', priority: -1}}]\n")
    scene.commit()
    assert scene.find().files == {}
    settings.write_text(text)
    scene.commit()
    assert [each.new for each in scene.find().effect.packages] == ["1:12.0-1"]
