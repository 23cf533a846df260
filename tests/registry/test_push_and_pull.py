"""Images go to a real registry and come back only as what a known signer says they are."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.registry import signature, statement
from gitops.registry.address import split
from gitops.registry.transport import AwayError
from gitops.system.errors import UserError
from tests.registry.conftest import Dock
from tests.registry_fixtures import new_key, running
from tests.small_disk import small_disk

TEXT, PROOF = "gitops.statement", "gitops.signature"


def test_what_was_pushed_comes_back_as_it_was(dock: Dock) -> None:
    made = dock.build()
    pushed = dock.push()
    assert [one.image for one in pushed] == ["base", "web", "leaf"]
    assert all(one.digest.startswith("sha256:") for one in pushed)
    dock.forget()
    assert dock.pull() == {"base", "web", "leaf"}
    assert [dock.id_of(image) for image in dock.names] == made
    assert [line.partition(" for which ")[2] for line in dock.told] == ["ci@example.org vouches"] * 3
    assert dock.refused == {}


def test_what_nobody_has_pushed_for_this_architecture_is_told_once(dock: Dock) -> None:
    assert dock.pull() == set()
    assert dock.told == ["the registry has nothing for amd64 of base, leaf, web; built here"]


def test_a_second_push_sends_nothing_and_needs_no_images(dock: Dock) -> None:
    dock.build()
    dock.push()
    before = len(dock.server.requests())
    assert [one.digest for one in dock.push()] == ["", "", ""]
    dock.forget()
    assert [one.digest for one in dock.push()] == ["", "", ""]
    assert len(dock.server.requests()) - before == 2


def test_only_what_is_missing_is_pushed_and_it_must_be_built(dock: Dock) -> None:
    dock.build("base")
    dock.push("base")
    with pytest.raises(UserError, match="not built here yet: web, leaf"):
        dock.push()
    dock.build("web", "leaf")
    assert [bool(one.digest) for one in dock.push()] == [False, True, True]


def test_an_image_of_another_that_took_its_tag_is_refused(dock: Dock) -> None:
    dock.build("web", mark="good")
    dock.push("web")
    dock.build("web", mark="evil")
    dock.seize("web")
    assert re.search(r"it has the digest sha256:\S+, and the one that was signed is", dock.refusal("web"))


def test_an_image_whose_packages_are_not_those_of_the_lock_is_refused(dock: Dock) -> None:
    dock.ship(
        dock.names["web"],
        packages="Package: more\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
    )
    dock.push("web")
    assert dock.refusal("web") == "its packages are not those of its lock"


@pytest.mark.parametrize(
    ("namespaces", "reason"),
    [("git", "namespace"), ("gitops-statement", "which is not one of the signers")],
    ids=["for-commits-only", "unknown"],
)
def test_a_signer_who_may_not_is_refused(dock: Dock, tmp_path: Path, namespaces: str, reason: str) -> None:
    other = new_key(tmp_path, "other", namespaces)
    if namespaces == "git":
        dock.signers.write_text(other.line)
    dock.build("web")
    dock.push("web", key=other)
    assert reason in dock.refusal("web")


def test_a_signature_made_for_something_else_is_refused(dock: Dock, monkeypatch: pytest.MonkeyPatch) -> None:
    dock.build("web")
    with monkeypatch.context() as patch:
        patch.setattr(signature, "NAMESPACE", "git")
        dock.push("web")
    assert dock.refusal("web")


def test_a_statement_of_another_image_or_of_before_is_refused(dock: Dock) -> None:
    dock.build()
    dock.push()
    statements = dock.registry.address.statements
    other = dock.registry.manifest(statements, dock.identity("leaf"))
    assert other
    dock.registry.put_manifest(statements, dock.identity("web"), other.content)
    assert dock.refusal("web") == "its statement is about the image leaf, not web"


@pytest.mark.parametrize("field", ["fleet", "architecture", "identity"])
def test_a_good_signature_under_the_wrong_thing_is_refused(dock: Dock, field: str) -> None:
    dock.build("web")
    (pushed,) = dock.push("web")
    right = statement.state(dock.fleet.settings.name, split(dock.names["web"]), "amd64", pushed.digest)
    wrong = {"fleet": "another", "architecture": "arm64", "identity": "0" * 32}[field]
    statement.write(dock.registry, replace(right, **{field: wrong}), dock.key.path)
    if field == "identity":
        statements = dock.registry.address.statements
        moved = dock.registry.manifest(statements, wrong)
        assert moved
        dock.registry.put_manifest(statements, dock.identity("web"), moved.content)
    assert f"its statement is about the {field} {wrong}" in dock.refusal("web")


TOUCHED: tuple[Callable[[str, str], Mapping[str, str] | None], ...] = (
    lambda text, proof: {TEXT: text.replace("amd64", "arm64"), PROOF: proof},
    lambda text, proof: {TEXT: f"{text}more: yes\n", PROOF: proof},
    lambda text, proof: {TEXT: re.sub("time: ....", "time: 9999-99", text), PROOF: proof},
    lambda text, _: {TEXT: text, PROOF: "-----BEGIN SSH SIGNATURE-----\nAAAA\n"},
    lambda text, _: {TEXT: text, PROOF: "x" * 100_000},
    lambda text, _: {TEXT: text},
    lambda _, proof: {TEXT: "\x1b[31m", PROOF: proof},
    lambda _text, _proof: None,
)


def test_a_statement_that_was_touched_is_refused(dock: Dock) -> None:
    dock.build("web")
    dock.push("web")
    statements = dock.registry.address.statements
    good = dock.registry.manifest(statements, dock.identity("web"))
    assert good
    notes = good.read()["annotations"]
    for touch in TOUCHED:
        told = {**good.read(), "annotations": touch(notes[TEXT], notes[PROOF])}
        dock.registry.put_manifest(statements, dock.identity("web"), json.dumps(told).encode())
        assert dock.refusal("web").isprintable()
        dock.refused.clear()


def test_an_image_without_a_statement_is_built_and_nobody_is_alarmed(dock: Dock) -> None:
    dock.build("web")
    dock.seize("web")
    dock.forget("web")
    assert dock.pull("web") == set()
    assert (dock.told, dock.refused) == (["the registry has nothing for amd64 of web; built here"], {})
    assert dock.build("web")
    assert dock.push("web")[0].digest


def test_a_statement_without_its_image_is_told(dock: Dock) -> None:
    dock.build("web")
    (pushed,) = dock.push("web")
    dock.registry.remove(dock.repository, pushed.digest)
    dock.forget("web")
    assert dock.pull("web") == set()
    assert "but not the image; it is built here" in dock.told[0]


def test_what_is_broken_in_the_store_is_no_image(dock: Dock) -> None:
    dock.build("web")
    (pushed,) = dock.push("web")
    digest = pushed.digest.removeprefix("sha256:")
    blob = dock.server.storage / "docker/registry/v2/blobs/sha256" / digest[:2] / digest / "data"
    whole = blob.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"\x00" * 64):
        blob.write_bytes(broken)
        dock.forget("web")
        assert dock.pull("web") == set()
        assert dock.id_of("web") == ""
    assert len(dock.told) == 3


def test_only_parents_are_taken_where_the_image_itself_is_to_be_built(dock: Dock) -> None:
    dock.build("base", "web")
    dock.push("base", "web")
    dock.forget()
    assert dock.pull("leaf", parents_only=True) == {"web"}
    assert dock.pull("leaf", there=("web",)) == set()


def test_a_registry_that_is_away_is_asked_once_and_everything_is_built(dock: Dock) -> None:
    dock.server.stop()
    try:
        assert dock.pull() == set()
        with pytest.raises(AwayError):
            dock.push()
    finally:
        dock.server.start()
    assert [line.endswith("images are built here") for line in dock.told] == [True]


def test_an_identity_that_has_a_statement_is_replaced_only_when_that_is_asked_for(dock: Dock) -> None:
    dock.build("web", mark="first")
    (first,) = dock.push("web")
    (second_id,) = dock.build("web", mark="second")
    assert dock.push("web")[0].digest == ""
    assert f"is there from another build, {first.digest}, and is not replaced" in dock.told[0]
    assert dock.registry.digest(dock.repository, dock.identity("web")) == first.digest
    (second,) = dock.push("web", again=True)
    assert second.digest not in {first.digest, ""}
    assert f"replaces {first.digest}, as --again asks" in dock.told[1]
    dock.forget("web")
    assert dock.pull("web") == {"web"}
    assert dock.id_of("web") == second_id


def test_a_key_that_cannot_sign_leaves_an_image_that_nobody_believes(dock: Dock) -> None:
    dock.build("web")
    dock.key.path.chmod(0o644)
    with pytest.raises(UserError, match="does not sign with this key"):
        dock.push("web")
    dock.key.path.chmod(0o600)
    before = dock.registry.digest(dock.repository, dock.identity("web"))
    assert before
    assert dock.registry.tags(dock.registry.address.statements) == []
    assert dock.push("web")[0].digest == before


def test_a_disk_that_fills_before_the_statement_leaves_an_image_that_nobody_believes(
    dock: Dock, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 40) as disk:
        (disk.root / "registry").mkdir()
        with running(dock.api, disk.root / "registry") as server, dock.moved(server) as full:
            full.build("web")
            full.seize("web")  # an engine would try for a minute to get it onto a full disk
            disk.fill()
            with pytest.raises(UserError, match="status 500") as error:
                full.push("web")
            assert "its disk may be full" in str(error.value)
            full.forget("web")
            assert full.pull("web") == set()
            disk.free()
            full.build("web")
            assert full.push("web")[0].digest
            full.forget("web")
            assert full.pull("web") == {"web"}
            full.forget("web")
