"""apt's own answer: what is needed, never more, and a reason that can be read when there is no way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gitops.debian.indexes import Indexes
from gitops.debian.packages import Package
from gitops.debian.resolve import resolve
from gitops.debian.sources import Pin, Source
from gitops.debian.suites import refresh
from gitops.system.errors import UserError
from tests.archive import TestArchive
from tests.debian.conftest import source_of


@pytest.fixture(scope="module")
def shared(new_archive: Callable[[], TestArchive]) -> TestArchive:
    """An archive with a base, an application on it, and the ways in which packages quarrel."""
    archive = new_archive()
    add = archive.add_package
    add("apt", "3.0", architecture="amd64", depends="libc")
    add("libc", "1.0", architecture="amd64")
    add("sh", "1.0", architecture="amd64", essential=True, fields={"Pre-Depends": "libc"})
    add("web", "1.0", depends="libweb (>= 1.0)", fields={"Recommends": "extras", "Suggests": "docs"})
    add("libweb", "1:1.0~rc1", architecture="amd64", depends="libc")
    add("extras", "1.0")
    add("docs", "1.0")
    add("broken", "1.0", depends="libweb (>= 2:0)")
    add("orphan", "1.0", depends="gone")
    add("breaker", "1.0", fields={"Conflicts": "libc"})
    add("needs-newer", "1.0", depends="libc (>= 2.0)")
    add("postfix", "1.0", fields={"Provides": "mta"})
    add("exim", "1.0", fields={"Provides": "mta"})
    add("nginx", "1.0", fields={"Provides": "httpd"})
    add("libc", "2.0", architecture="amd64", suite="updates")
    add("web", "2.0", depends="libweb", suite="backports")
    add("libweb", "1:1.0~rc1", architecture="arm64")
    for suite in ("trixie", "updates", "backports"):
        archive.publish(suite)
    return archive


@pytest.fixture(scope="module")
def indexes(shared: TestArchive, tmp_path_factory: pytest.TempPathFactory) -> Indexes:
    return refresh([source_of(shared)], "amd64", tmp_path_factory.mktemp("indexes"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("apt")


def names(packages: list[Package]) -> list[str]:
    return [package.name for package in packages]


def test_a_base_has_essential_packages_apt_and_what_they_need(indexes: Indexes, root: Path) -> None:
    assert names(resolve(indexes, ["extras"], base=True, root=root)) == ["apt", "extras", "libc", "sh"]


def test_dependencies_come_along_recommendations_do_not(indexes: Indexes, root: Path) -> None:
    assert names(resolve(indexes, ["web"], base=False, root=root)) == ["libc", "libweb", "web"]


def test_recommendations_come_along_when_wanted(indexes: Indexes, root: Path) -> None:
    assert names(resolve(indexes, ["web"], base=False, recommends=True, root=root)) == [
        *("extras", "libc", "libweb", "web")
    ]


def test_what_the_parent_has_is_not_added_again(indexes: Indexes, root: Path) -> None:
    parent = [indexes.stanza(package) or "" for package in resolve(indexes, [], base=True, root=root)]
    assert names(resolve(indexes, ["web", "sh"], base=False, installed=parent, root=root)) == [
        "libweb",
        "web",
    ]


def test_nothing_requested_adds_nothing(indexes: Indexes, root: Path) -> None:
    assert resolve(indexes, [], base=False, root=root) == []


def test_a_name_that_one_package_provides_is_understood(indexes: Indexes, root: Path) -> None:
    assert names(resolve(indexes, ["httpd"], base=False, root=root)) == ["nginx"]


def test_the_answer_is_the_same_every_time(indexes: Indexes, root: Path, tmp_path: Path) -> None:
    once = resolve(indexes, ["web"], base=True, root=root)
    assert once == sorted(once)
    assert resolve(indexes, ["web"], base=True, root=tmp_path) == once


def test_several_may_ask_at_once(indexes: Indexes, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(resolve, indexes, ["web"], base=False, root=tmp_path) for _ in range(4)]
    assert [names(each.result()) for each in asked] == [["libc", "libweb", "web"]] * 4


def test_missing_packages_are_all_named_with_the_nearest_names(indexes: Indexes, root: Path) -> None:
    with pytest.raises(UserError) as error:
        resolve(indexes, ["ngimx", "web", "wbe"], base=False, root=root)
    assert [problem.message.partition(" for ")[0] for problem in error.value.problems] == [
        "there is no package ngimx",
        "there is no package wbe",
    ]
    assert error.value.problems[0].hint == "did you mean nginx?"


@pytest.mark.parametrize("wish", ["web-", "web+", "we.", "web.*", "web=1.0", "web/updates", "-oDebug=1"])
def test_a_name_is_never_taken_for_a_wish_of_another_kind(indexes: Indexes, root: Path, wish: str) -> None:
    with pytest.raises(UserError, match="there is no package"):
        resolve(indexes, [wish], base=False, root=root)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("broken", ["broken", "libweb (>= 2:0)"]),
        ("orphan", ["orphan", "gone", "not installable"]),
        ("mta", ["mta", "virtual package", "exim", "postfix"]),
    ],
)
def test_an_impossible_wish_has_apts_reason(
    indexes: Indexes, root: Path, wish: str, words: list[str]
) -> None:
    with pytest.raises(UserError) as error:
        resolve(indexes, [wish], base=False, root=root)
    assert [word for word in ["amd64", "test/trixie", *words] if word not in str(error.value)] == []


def test_the_parents_packages_never_move(shared: TestArchive, tmp_path: Path, indexes: Indexes) -> None:
    parent = [indexes.stanza(package) or "" for package in resolve(indexes, [], base=True, root=tmp_path)]
    both = refresh([source_of(shared), source_of(shared, "updates")], "amd64", tmp_path)
    with pytest.raises(UserError, match=r"libc 1.0 to become 2.0.*parent"):
        resolve(both, ["needs-newer"], base=False, installed=parent, root=tmp_path)
    assert names(resolve(both, ["libc"], base=False, installed=parent, root=tmp_path)) == []


def test_nothing_of_the_parent_is_removed(indexes: Indexes, root: Path) -> None:
    parent = [indexes.stanza(package) or "" for package in resolve(indexes, ["libc"], base=False, root=root)]
    with pytest.raises(UserError, match=r"libc.*1\.0"):
        resolve(indexes, ["breaker"], base=False, installed=parent, root=root)


def test_the_newest_of_all_suites_is_chosen(shared: TestArchive, tmp_path: Path) -> None:
    both = refresh([source_of(shared), source_of(shared, "updates", name="fixes")], "amd64", tmp_path)
    [libc] = resolve(both, ["libc"], base=False, root=tmp_path)
    assert (libc.version, libc.archive, libc.suite) == ("2.0", "fixes", "updates")


@pytest.mark.parametrize(("priority", "version"), [(100, "1.0"), (990, "2.0")])
def test_pins_decide_between_suites(shared: TestArchive, tmp_path: Path, priority: int, version: str) -> None:
    both = refresh([source_of(shared), source_of(shared, "backports")], "amd64", tmp_path)
    pin = Pin("*", "release n=backports", priority)
    found = {
        each.name: each.version for each in resolve(both, ["web"], base=False, pins=[pin], root=tmp_path)
    }
    assert found["web"] == version


def test_a_pin_may_name_the_mirrors_host(shared: TestArchive, tmp_path: Path) -> None:
    both = refresh([source_of(shared), source_of(shared, "updates")], "amd64", tmp_path)
    pin = Pin("libc", f'origin "{urlsplit(shared.mirror).hostname}"', -1)
    with pytest.raises(UserError, match="no installation candidate"):
        resolve(both, ["libc"], base=False, pins=[pin], root=tmp_path)


def test_another_architecture_resolves_here(shared: TestArchive, tmp_path: Path) -> None:
    arm = refresh([source_of(shared)], "arm64", tmp_path)
    [package] = resolve(arm, ["libweb"], base=False, root=tmp_path)
    assert package.architecture == "arm64"


def test_a_suite_named_by_two_archives_is_the_first_ones(shared: TestArchive, tmp_path: Path) -> None:
    twice = refresh([source_of(shared, name="one"), source_of(shared, name="two")], "amd64", tmp_path)
    assert {package.archive for package in resolve(twice, ["web"], base=False, root=tmp_path)} == {"one"}


def test_a_directory_and_several_components_resolve(shared: TestArchive, tmp_path: Path) -> None:
    shared.add_package("extra-tool", "1", depends="extras", suite="split")
    shared.add_package("extras", "1.0", component="contrib", suite="split")
    shared.publish("split")
    odd = tmp_path / "a_mirror~with=odd name"
    odd.symlink_to(shared.root)
    address = f"file://{odd}".replace(" ", "%20")
    source = Source("disk", address, "split", ("main", "contrib"), shared.keyring)
    indexes = refresh([source], "amd64", tmp_path / "cache")
    assert names(resolve(indexes, ["extra-tool"], base=False, root=tmp_path)) == ["extra-tool", "extras"]


def test_the_hosts_own_configuration_does_not_take_part(
    indexes: Indexes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = tmp_path / "apt.conf"
    hostile.write_text('APT::Install-Recommends "true";\nAPT::Architectures { "i386"; };\n')
    monkeypatch.setenv("APT_CONFIG", str(hostile))
    assert names(resolve(indexes, ["web"], base=False, root=tmp_path)) == ["libc", "libweb", "web"]


def test_apt_sees_only_its_private_root(indexes: Indexes, tmp_path: Path) -> None:
    resolve(indexes, ["web"], base=False, root=tmp_path)
    [configuration] = tmp_path.glob("*/apt.conf")
    text = configuration.read_text()
    for place in ("Dir", "Dir::State", "Dir::State::lists", "Dir::Cache", "Dir::Etc", "Dir::Etc::sourcelist"):
        assert f'{place} "{tmp_path}/' in text
    for place in ("main", "parts", "sourceparts", "preferencesparts"):
        assert f'Dir::Etc::{place} "/dev/null";' in text
