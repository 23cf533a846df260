"""Who can read a secret, and how that changes: with real keys, on a real fleet."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops.fleet.load import load
from gitops.secrets.age import decrypt, make_identity
from gitops.system.errors import UserError

GITOPS = Path(sys.executable).parent / "gitops"


@dataclass(frozen=True)
class Desk:
    """A fleet with the hosts one and two, of which one uses the secret, and an administrator's own key."""

    root: Path

    def host(self, name: str, *, uses: bool) -> None:
        recipient = make_identity(self.root.parent / name)
        instances = "{alice: {app: web}}" if uses else "{}"
        self.write(f"hosts/{name}.yaml", f"age: {recipient}\ninstances: {instances}\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def gitops(self, *args: str, stdin: bytes = b"", status: int = 0, editor: str = "false") -> str:
        env = {**os.environ, "GITOPS_ROOT": str(self.root.parent / "own"), "EDITOR": editor, "VISUAL": ""}
        done = subprocess.run(
            [GITOPS, *args], cwd=self.root, input=stdin, capture_output=True, check=False, env=env
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        return (done.stdout + done.stderr).decode()

    def reads(self, name: str) -> str:
        key = self.root.parent / name
        try:
            return decrypt(self.root / "secrets/password.age", key).decode()
        except UserError:
            return ""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "fleet")
    own = make_identity(tmp_path / "own/etc/gitops/age.key")
    desk.write(
        "fleet.yaml",
        "name: desk\narchives: {a: {mirror: 'http://mirror.example.org/debian', suites: [trixie]}}\n"
        f"administrators: {{anna: {own}}}\n",
    )
    desk.write("images/tiny.yaml", "from: scratch\narchive: a\n")
    desk.write("apps/web.yaml", "services: {web: {image: tiny, secrets: [password]}}\n")
    desk.host("one", uses=True)
    desk.host("two", uses=False)
    return desk


def test_an_administrator_reads_and_edits_what_the_hosts_that_use_it_read(desk: Desk, tmp_path: Path) -> None:
    told = desk.gitops("secret", "set", "password", stdin=b"first")
    assert told == "secrets/password.age: readable by one, anna; commit it\n"
    editor = tmp_path / "editor"
    editor.write_text(
        f'#!/bin/sh\ntouch {tmp_path}/was-at; stat -fc %T "$1" > {tmp_path}/was-at\n'
        'test "$(cat "$1")" = first && printf second > "$1"\n'
    )
    editor.chmod(0o755)
    desk.gitops("secret", "edit", "password", editor=str(editor))
    assert (tmp_path / "was-at").read_text() == "tmpfs\n"
    assert desk.reads("one") == "second"
    assert desk.reads("two") == ""
    before = (desk.root / "secrets/password.age").read_bytes()
    assert "nothing changed" in desk.gitops("secret", "edit", "password", editor="true")
    desk.gitops("secret", "edit", "password", editor="false", status=1)
    assert (desk.root / "secrets/password.age").read_bytes() == before


def test_an_edited_value_is_left_nowhere(desk: Desk, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\nprintf unheard-of > "$1"; echo "$1" > {tmp_path}/path\n')
    editor.chmod(0o755)
    desk.gitops("secret", "edit", "password", editor=str(editor))
    assert not Path((tmp_path / "path").read_text().strip()).parent.exists()
    for path in tmp_path.rglob("*"):
        assert path == editor or not path.is_file() or b"unheard-of" not in path.read_bytes()


def test_rekey_follows_instances_and_touches_only_what_it_must(desk: Desk) -> None:
    desk.gitops("secret", "set", "password", stdin=b"value")
    before = (desk.root / "secrets/password.age").read_bytes()
    assert "every secret is encrypted" in desk.gitops("secret", "rekey")
    assert (desk.root / "secrets/password.age").read_bytes() == before
    desk.host("two", uses=True)
    assert desk.gitops("secret", "rekey") == "secrets/password.age: readable by anna, one, two; commit it\n"
    assert (desk.reads("one"), desk.reads("two")) == ("value", "value")
    desk.host("one", uses=False)
    assert "set another value" in desk.gitops("secret", "rekey")
    assert (desk.reads("one"), desk.reads("two")) == ("", "value")


def test_losing_the_list_of_recipients_costs_one_encryption(desk: Desk) -> None:
    desk.gitops("secret", "set", "password", stdin=b"value")
    (desk.root / "secrets/.recipients").unlink()
    load(desk.root)
    assert "readable by anna, one" in desk.gitops("secret", "rekey")
    assert desk.reads("one") == "value"


def test_who_cannot_read_a_secret_cannot_rekey_it(desk: Desk, tmp_path: Path) -> None:
    desk.gitops("secret", "set", "password", stdin=b"value")
    desk.host("two", uses=True)
    told = desk.gitops("secret", "rekey", "--identity", str(tmp_path / "two"), status=1)
    assert "no identity matched" in told
    assert "gitops secret rekey" in told
    assert desk.reads("one") == "value"
