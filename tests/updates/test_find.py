"""Updates are found on a real signed archive, and only what they concern moves."""

from gitops.git.repository import Repository
from gitops.updates.effect import PackageUpdate, Place, Rebuild
from tests.archive import SigningKey, served
from tests.updates.conftest import Scene


def test_nothing_newer_is_no_update(scene: Scene) -> None:
    found = scene.find()
    assert (found.updates, found.findings) == ((), ())


def test_a_child_s_package_moves_that_child_alone(scene: Scene) -> None:
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common (= 1.26-2)")
    scene.archive.add_package("nginx-common", "1.26-2", fields={"Source": "nginx"})
    scene.archive.publish()
    found = scene.update()
    running = ("alice@one", "bob@one", "carol@two")
    assert found.effect.packages == (
        PackageUpdate("nginx", "nginx", "1.26-1", "1.26-2", "test/trixie", ("web",), running),
        PackageUpdate("nginx", "nginx-common", "1.26-1", "1.26-2", "test/trixie", ("web",), running),
    )
    assert found.effect.rebuilt == (Rebuild("web", ("amd64",), None),)
    assert found.effect.kept == (
        Place("one", "alice", ("db",), "blog", 1),
        Place("one", "bob", ("db",), "blog", 1),
    )
    assert sorted(found.files) == ["locks/web.amd64.lock"]


def test_a_parent_s_update_reaches_every_child_with_no_change_of_its_own(scene: Scene) -> None:
    scene.archive.add_package("libssl", "3.5.7-1", fields={"Source": "openssl"})
    scene.archive.publish()
    found = scene.update()
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
    assert scene.find().updates == ()
    scene.archive.add_package("mariadb", "1:11.10-1")
    scene.archive.publish()
    assert [each.new for each in scene.update().effect.packages] == ["1:11.10-1"]


def test_a_security_suite_on_another_mirror_is_considered_once_it_is_named(
    scene: Scene, archive_key: SigningKey
) -> None:
    with served(scene.root.parent / "security", archive_key) as security:
        security.add_package("libssl", "3.5.6-1+deb13u1", suite="trixie-security")
        security.publish("trixie-security")
        assert scene.find().updates == ()
        scene.settings("trixie", f"{{suite: trixie-security, mirror: '{security.mirror}'}}")
        scene.commit()
        (update,) = scene.update().effect.packages
        assert (update.new, update.suite) == ("3.5.6-1+deb13u1", "test/trixie-security")


def test_what_is_not_committed_is_not_looked_at(scene: Scene) -> None:
    (scene.root / "images/web.yaml").write_text("from: base\npackages: [nginx, no-such-package]\n")
    assert scene.find().updates == ()
    assert Repository(scene.root).dirty() == ("images/web.yaml",)


def test_a_package_that_vanished_is_a_finding_and_holds_back_nothing_else(scene: Scene) -> None:
    scene.archive.remove("mariadb")
    scene.archive.add_package("libssl", "3.5.7-1", fields={"Source": "openssl"})
    scene.archive.publish()
    (finding,) = scene.find().findings
    assert finding.subject == "db (amd64)"
    assert "no package mariadb" in finding.reason
    assert scene.moves() == {"libssl": ("3.5.6-1", "3.5.7-1")}


def test_what_else_an_image_has_moves_on_when_one_of_its_packages_vanished(scene: Scene) -> None:
    (scene.root / "images/web.yaml").write_text("from: base\npackages: [nginx, mariadb]\n")
    scene.lock()
    scene.archive.remove("mariadb")
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common (= 1.26-2)")
    scene.archive.add_package("nginx-common", "1.26-2", fields={"Source": "nginx"})
    scene.archive.publish()
    assert scene.moves() == {"nginx": ("1.26-1", "1.26-2"), "nginx-common": ("1.26-1", "1.26-2")}
    assert [finding.subject for finding in scene.find().findings] == ["db (amd64)", "web (amd64)"]


def test_an_update_that_cannot_be_installed_is_a_finding_with_apt_s_reason(scene: Scene) -> None:
    scene.archive.remove("nginx", "1.26-1")
    scene.archive.add_package("nginx", "1.28-1", depends="libnginx (>= 9)")
    scene.archive.add_package("mariadb", "1:11.9-1")
    scene.archive.publish()
    (finding,) = scene.find().findings
    assert finding.subject == "web (amd64)"
    assert "libnginx" in finding.reason
    assert set(scene.moves()) == {"mariadb"}


def test_a_parent_gives_way_only_where_a_child_cannot_live_with_it(scene: Scene) -> None:
    scene.archive.add_package("libssl", "4.0-1", fields={"Source": "openssl"})
    scene.archive.add_package("base-files", "14", essential=True)
    scene.archive.remove("nginx", "1.26-1")
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common, libssl (<< 4)")
    scene.archive.add_package("mariadb", "1:11.9-1")
    scene.archive.publish()
    assert set(scene.moves()) == {"base-files", "mariadb", "nginx"}
    assert [str(finding) for finding in scene.find().findings] == [
        "openssl 3.5.6-1 → 4.0-1 in base: does not go together with nginx"
    ]


def test_a_child_that_can_stay_does_not_hold_back_its_parent(scene: Scene) -> None:
    scene.archive.add_package("libssl", "4.0-1", fields={"Source": "openssl"})
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common, libssl (<< 4)")
    scene.archive.publish()
    assert set(scene.moves()) == {"libssl"}
    (finding,) = scene.find().findings
    assert str(finding) == "nginx 1.26-1 → 1.26-2 in web: does not go together with libssl"


def test_what_is_held_stays_with_all_that_needs_it_newer(scene: Scene) -> None:
    scene.policy("hold: [{package: mariadb, reason: not before the audit}]")
    scene.archive.add_package("mariadb", "1:11.9-1")
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common (= 1.26-2)")
    scene.archive.add_package("nginx-common", "1.26-2", fields={"Source": "nginx"})
    scene.archive.publish()
    assert set(scene.moves()) == {"nginx", "nginx-common"}
    assert [str(finding) for finding in scene.find().findings] == [
        "mariadb 1:11.8-1 → 1:11.9-1 in db: held: not before the audit"
    ]
    scene.policy("hold: [{package: nginx-common, reason: not before the audit}]")
    assert set(scene.moves()) == {"mariadb"}
    assert [str(finding) for finding in scene.find().findings] == [
        "nginx 1.26-1 → 1.26-2 in web: does not go together with nginx-common",
        "nginx 1.26-1 → 1.26-2 in web: held: not before the audit",
    ]


def test_an_ignored_version_is_passed_over_until_the_next(scene: Scene) -> None:
    scene.policy("ignore: [{source: mariadb, version: '1:11.9-1', reason: loses data}]")
    scene.archive.add_package("mariadb", "1:11.9-1")
    scene.archive.publish()
    assert scene.find().updates == ()
    scene.archive.add_package("mariadb", "1:11.9-2")
    scene.archive.publish()
    assert scene.moves() == {"mariadb": ("1:11.8-1", "1:11.9-2")}


def test_every_source_has_its_branch_and_what_needs_each_other_shares_one(scene: Scene) -> None:
    scene.policy("group: source")
    scene.archive.add_package("libssl", "3.5.7-1", fields={"Source": "openssl"})
    scene.archive.add_package("openssl", "3.5.7-1")
    scene.archive.add_package("mariadb", "1:11.9-1", depends="libssl (>= 3.5.7)")
    scene.archive.add_package("nginx", "1.26-2", depends="nginx-common (= 1.26-2)")
    scene.archive.add_package("nginx-common", "1.26-2", fields={"Source": "nginx"})
    scene.archive.publish()
    assert {
        update.branch: sorted(package.name for package in update.effect.packages)
        for update in scene.find().updates
    } == {
        "gitops/updates-mariadb": ["libssl", "mariadb"],
        "gitops/updates-nginx": ["nginx", "nginx-common"],
    }


def test_once_all_is_taken_the_locks_are_those_of_a_fresh_lock(scene: Scene) -> None:
    scene.policy("group: source")
    scene.archive.add_package("libssl", "3.5.7-1", fields={"Source": "openssl"})
    scene.archive.add_package("nginx", "1.27-1", depends="libnginx")
    scene.archive.add_package("libnginx", "1.27-1", depends="openssl")
    scene.archive.publish()
    while found := scene.find().updates:
        scene.take(found[0])
    taken = scene.locks()
    scene.lock()
    assert scene.locks() == taken


def test_what_a_parent_takes_over_from_its_child_moves_with_it(scene: Scene) -> None:
    scene.policy("group: image")
    scene.archive.add_package("libssl", "3.5.7-1", fields={"Source": "openssl"}, depends="nginx-common")
    scene.archive.publish()
    (update,) = scene.find().updates
    assert update.name == "base"
    scene.take(update)
    assert scene.find().updates == ()


def test_a_version_that_was_withdrawn_goes_back(scene: Scene) -> None:
    scene.archive.add_package("mariadb", "1:11.9-1")
    scene.archive.publish()
    scene.lock()
    scene.archive.remove("mariadb", "1:11.9-1")
    scene.archive.publish()
    assert scene.moves() == {"mariadb": ("1:11.9-1", "1:11.8-1")}


def test_a_file_that_moved_to_another_suite_is_an_update_without_a_rebuild(scene: Scene) -> None:
    deb = next(scene.archive.pool().glob("mariadb_*.deb"))
    scene.settings("trixie", "trixie-updates")
    scene.commit()
    scene.archive.add_deb(deb, suite="trixie-updates")
    scene.archive.remove("mariadb")
    scene.archive.publish("trixie-updates")
    scene.archive.publish()
    update = scene.update()
    assert (update.effect.packages, update.effect.rebuilt) == ((), ())
    assert list(update.files) == ["locks/db.amd64.lock"]
    scene.take(update)
    assert scene.find().updates == ()


def test_a_new_dependency_and_one_that_goes_are_told(scene: Scene) -> None:
    scene.archive.add_package("nginx", "1.27-1", depends="libnginx")
    scene.archive.add_package("libnginx", "1.27-1", fields={"Source": "nginx"})
    scene.archive.publish()
    assert scene.moves() == {
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
    assert scene.find().updates == ()
    settings.write_text(text)
    scene.commit()
    assert [each.new for each in scene.update().effect.packages] == ["1:12.0-1"]
