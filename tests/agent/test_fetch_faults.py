"""Servers, settings and moments out to harm: nothing runs, nothing odd is taken, nothing stays broken."""

import os
import subprocess
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gitops.git.intake import Intake
from gitops.git.isolation import isolated
from tests.agent.server import agent_settings, run
from tests.agent.test_fetch import Host, host

__all__ = ["host"]  # a fixture


def test_a_redirect_is_not_followed(host: Host) -> None:
    host.server.commit()
    (host.places.config).mkdir(exist_ok=True)
    (host.places.config / "signers").write_text("")

    class Redirect(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"file://{host.server.root}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Redirect)
    threading.Thread(target=server.serve_forever).start()
    address = f"http://127.0.0.1:{server.server_port}/fleet.git"
    try:
        settings = agent_settings(
            host.places, f"host: web1\ntrust: {{signers: signers}}\nremotes: ['{address}']\n"
        )
        assert host.advance(settings).commit is None
    finally:
        server.shutdown()
        server.server_close()


def test_a_kill_at_any_moment_of_a_fetch_only_costs_another_one(host: Host) -> None:
    host.server.commit()
    host.advance()
    for lock in ("shallow.lock", "packed-refs.lock", "refs/gitops/seen.lock", "refs/gitops/accepted.lock"):
        (host.intake.root / lock).write_text("")
    commit = host.server.commit()
    assert host.advance().commit == commit
    (host.intake.root / "HEAD").write_text("")
    assert host.advance().commit == commit


def test_packed_references_are_read_as_well(host: Host) -> None:
    commit = host.server.commit()
    host.advance()
    host.intake.git("pack-refs", "--all", "--prune")
    assert not (host.intake.root / "refs/gitops/accepted").exists()
    assert host.advance(admit=None).commit == commit


def test_a_full_disk_costs_a_fetch_and_the_next_one_works(host: Host, tmp_path: Path) -> None:
    first = host.server.commit()
    host.advance()
    small = tmp_path / "small"
    small.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small))
    try:
        full = replace(host, places=host.places._replace(config=small / "config", state=small / "state"))
        assert full.advance().commit == first
        (host.server.root / "large").write_bytes(os.urandom(3 << 20))
        second = host.server.commit()
        standing = full.advance()
        assert (standing.commit, standing.good) == (first, False)
        assert "No space left" in standing.notes[0]
        run("mount", "-o", "remount,size=20m", str(small))
        assert full.advance().commit == second
    finally:
        run("umount", str(small))


def test_no_hook_setting_or_driver_of_anybody_runs(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >>{tmp_path}/sprung\ncat\n')
    trap.chmod(0o755)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(
        f"[core]\n\tfsmonitor = {trap}\n\thooksPath = {tmp_path}/hooks\n\tsshCommand = {trap}\n"
        f'[filter "trap"]\n\tsmudge = {trap}\n\tclean = {trap}\n\trequired = true\n'
        f'[credential]\n\thelper = {trap}\n[gpg]\n\tprogram = {trap}\n[gpg "ssh"]\n\tprogram = {trap}\n'
    )
    (tmp_path / "hooks").mkdir()
    for name in ("reference-transaction", "post-checkout", "post-index-change", "post-merge"):
        (tmp_path / "hooks" / name).symlink_to(trap)
    host.server.write(".gitattributes", "* filter=trap diff=trap text eol=lf\n")
    host.server.write(".lfsconfig", "[lfs]\n\turl = https://example.org\n")
    host.server.write("fleet/fleet.yaml", "name: fleet\n")
    commit = host.server.commit()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    host.advance()
    with isolated():
        own = Intake(host.intake.root, "fleet")
        own.export(commit, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fleet.yaml"]
    assert (tmp_path / "out" / "fleet.yaml").read_text() == "name: fleet\n"
    assert not (tmp_path / "sprung").exists()
    assert os.environ["GIT_DIR"] == "/nowhere"


def test_history_that_is_not_sound_is_not_taken(host: Host) -> None:
    """A tree with an entry `.git` is what git's own checks (fsck) refuse."""
    blob = host.server.git("hash-object", "-w", "--stdin", env={**os.environ, "GIT_DIR": ".git"})
    tree = subprocess.run(
        ["git", "mktree"], cwd=host.server.root, input=f"100644 blob {blob}\t.git\n", text=True,
        capture_output=True, check=True,
    ).stdout.strip()  # fmt: skip
    commit = host.server.git("commit-tree", tree, "-m", "Odd")
    host.server.git("update-ref", "refs/heads/main", commit)
    standing = host.advance()
    assert standing.commit is None
    assert "hasDotgit" in standing.notes[0]
