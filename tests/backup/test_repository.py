"""What opens a host's repository: its own password, or secrets of the fleet, which never touch a disk."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gitops.backup.repository import is_known, make_sure_of, open_repository
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.secrets.age import encrypt, make_identity
from gitops.secrets.readers import used
from gitops.system.errors import UserError
from gitops.system.places import Places
from tests.fleet.conftest import told


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))


def _root(tmp_path: Path, backup: str) -> Path:
    root = tmp_path / "fleet"
    for name, text in {
        "fleet.yaml": "name: demo\narchives: {here: {mirror: 'http://example.org', suites: [stable]}}\n",
        "hosts/web1.yaml": f"backup: {backup}\n" if backup else "{}\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def _fleet(tmp_path: Path, backup: str, places: Places, **secrets: str) -> Fleet:
    root = _root(tmp_path, backup)
    recipient = make_identity(places.config / "age.key")
    (root / "secrets").mkdir()
    for name, value in secrets.items():
        (root / f"secrets/{name}.age").write_bytes(encrypt(value.encode(), [recipient]))
    return load(root)


def test_a_password_is_made_once_and_is_nobody_elses_business(tmp_path: Path, places: Places) -> None:
    fleet = load(_root(tmp_path, f"{{repository: {tmp_path}/repository}}"))
    opened = open_repository(fleet, "web1", places)
    file = places.config / "restic-password"
    assert opened.key == str(file)
    password = file.read_text()
    assert len(password) > 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    open_repository(fleet, "web1", places)
    assert file.read_text() == password


def test_secrets_of_the_fleet_open_a_repository_and_lie_nowhere_in_the_clear(
    tmp_path: Path, places: Places
) -> None:
    backup = f"{{repository: {tmp_path}/repository, password: vault, environment: {{AWS_SECRET: cloud}}}}"
    fleet = _fleet(tmp_path, backup, places, vault="open sesame\n", cloud="hush hush")
    opened = open_repository(fleet, "web1", places)
    make_sure_of(opened, places)
    opened.save_stream([b"data"], "dump", ["a"])
    by_hand = replace(opened, environment={"RESTIC_PASSWORD": "open sesame"})
    assert len(by_hand.snapshots(["a"])) == 1
    assert "hush hush" in opened.environment.values()
    assert not (places.config / "restic-password").exists()
    values = (b"open sesame", b"hush hush")
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert not any(value in file.read_bytes() for value in values), file
    assert "sesame" not in repr(opened)


def test_a_variable_of_whoever_calls_gitops_does_not_open_another_repository(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTIC_REPOSITORY_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("RESTIC_PASSWORD_COMMAND", "echo wrong")
    monkeypatch.setenv("RESTIC_PASSWORD", "wrong")
    opened = open_repository(load(_root(tmp_path, f"{{repository: {tmp_path}/repository}}")), "web1", places)
    make_sure_of(opened, places)
    assert opened.is_there()
    assert is_known(opened, places)


def test_a_password_that_cannot_be_decrypted_is_told(tmp_path: Path, places: Places) -> None:
    fleet = _fleet(tmp_path, f"{{repository: {tmp_path}/repository, password: vault}}", places, vault="x")
    (places.config / "age.key").unlink()
    make_identity(places.config / "age.key")
    with pytest.raises(UserError, match="is not encrypted for the key"):
        open_repository(fleet, "web1", places)


def test_a_host_without_a_repository_is_told_what_to_write(tmp_path: Path, places: Places) -> None:
    with pytest.raises(UserError, match="has no backup repository") as caught:
        open_repository(load(_root(tmp_path, "")), "web1", places)
    assert "hosts/web1.yaml" in str(caught.value)


def test_secrets_that_are_not_there_are_named_where_they_are_used(tmp_path: Path) -> None:
    root = _root(tmp_path, "\n  repository: /srv\n  password: vault\n  environment: {AWS_SECRET: cloud}")
    assert told(root) == [
        "hosts/web1.yaml:3:13: there is no secrets/vault.age | `gitops secret set vault` makes it",
        "hosts/web1.yaml:4:29: there is no secrets/cloud.age | `gitops secret set cloud` makes it",
    ]


def test_the_host_can_read_what_opens_its_repository(tmp_path: Path, places: Places) -> None:
    backup = "{repository: /srv, password: vault, environment: {AWS_SECRET: cloud}}"
    assert used(_fleet(tmp_path, backup, places, vault="x", cloud="y"), "web1") == {"vault", "cloud"}
