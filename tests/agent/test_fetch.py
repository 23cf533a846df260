"""Where a host's commits come from, and what it does when that place is away, slow, hung or hostile."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server

import pytest

from gitops.agent.fetch import Admit, MovedError, Standing, advance, intake
from gitops.agent.refused import RefusedError
from gitops.agent.settings import Settings
from gitops.git.intake import Intake
from gitops.git.isolation import isolated
from gitops.system.places import Places
from tests.agent.server import Server, agent_settings, run
from tests.database_fixtures import until


@dataclass(frozen=True)
class Host:
    """A host that follows one server, and finds good whatever follows."""

    server: Server
    places: Places

    def settings(self, *remotes: str, more: str = "timeout: 20s\n") -> Settings:
        listed = "".join(f"  - {remote}\n" for remote in remotes or (str(self.server.root),))
        return agent_settings(self.places, f"host: web1\ntrust: unsigned\nremotes:\n{listed}{more}")

    def advance(self, settings: Settings | None = None, admit: Admit | None = lambda *_: "good") -> Standing:
        with isolated():
            return advance(settings or self.settings(), self.places, admit)

    @property
    def intake(self) -> Intake:
        return intake(self.settings(), self.places)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    places = Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))
    server = Server(tmp_path / "server")
    server.begin()
    return Host(server, places)


def test_a_branch_is_fetched_when_it_moved_and_only_asked_about_otherwise(host: Host) -> None:
    host.server.commit()
    with pytest.raises(MovedError):
        host.advance(admit=None)
    first = host.server.commit()
    assert host.advance() == Standing(first, str(host.server.root), news="good")
    assert host.advance(admit=None) == Standing(first, str(host.server.root))
    second = host.server.commit()
    with pytest.raises(MovedError):
        host.advance(admit=None)
    assert host.advance().commit == second


def test_tags_other_branches_and_submodules_stay_where_they_are(host: Host) -> None:
    host.server.write(".gitmodules", '[submodule "x"]\n\tpath = x\n\turl = https://example.org/x\n')
    host.server.commit()
    host.server.git("tag", "v1")
    host.server.git("branch", "other")
    host.advance()
    listed = host.intake.git("for-each-ref", "--format=%(refname)").stdout.split()
    assert listed == ["refs/gitops/accepted", "refs/gitops/seen"]


def test_servers_are_asked_in_their_order_and_the_first_that_answers_is_taken(host: Host) -> None:
    commit = host.server.commit()
    settings = host.settings("/nowhere/fleet.git", str(host.server.root), "/nowhere/else.git")
    standing = host.advance(settings)
    assert (standing.commit, standing.remote) == (commit, str(host.server.root))
    assert standing.good
    assert len(standing.notes) == 1
    assert "/nowhere/fleet.git cannot be asked" in standing.notes[0]


def test_a_server_that_is_away_leaves_the_host_with_the_commit_it_has(host: Host, tmp_path: Path) -> None:
    commit = host.server.commit()
    host.advance()
    host.server.root.rename(tmp_path / "away")
    standing = host.advance()
    assert standing.commit == commit
    assert not standing.good
    assert "cannot be asked" in standing.notes[0]


def test_a_server_without_the_branch_is_told(host: Host) -> None:
    host.server.commit()
    standing = host.advance(host.settings(more="branch: production\n"))
    assert "has no branch production" in standing.notes[0]


def test_a_server_that_hangs_is_given_up_and_nothing_of_git_stays_behind(host: Host) -> None:
    with create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        standing = host.advance(host.settings(f"https://127.0.0.1:{port}/fleet", more="timeout: 1s\n"))
        assert standing.notes == (f"https://127.0.0.1:{port}/fleet did not answer within 1 s",)
        until(lambda: not commands(f"127.0.0.1:{port}"))


def test_a_server_that_hangs_in_the_middle_of_a_fetch_is_given_up_and_the_next_fetch_works(
    host: Host, tmp_path: Path
) -> None:
    """The server's own git waits for ever instead of sending what was asked for."""
    host.server.commit()
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(
        '#!/bin/sh\nfor last; do :; done\nmark="$0.asked"\n'
        f'if [ -e "$mark" ]; then exec sleep 1000.{os.getpid()}; fi\n: >"$mark"\nexec sh -c "$last"\n'
    )
    ssh.chmod(0o755)
    path = f"{ssh.parent}:{os.environ['PATH']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        standing = host.advance(host.settings(f"git@host:{host.server.root}", more="timeout: 2s\n"))
    assert "did not answer within 2 s" in standing.notes[0]
    until(lambda: not commands(f"1000.{os.getpid()}"))
    assert host.advance().good


def test_a_slow_server_is_waited_for(host: Host, tmp_path: Path) -> None:
    commit = host.server.commit()
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\nfor last; do :; done\nsleep 1\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
        assert host.advance(host.settings(f"git@host:{host.server.root}")).commit == commit


def test_a_shallow_server_is_told_and_the_next_one_is_asked(host: Host, tmp_path: Path) -> None:
    host.server.commit()
    host.advance()
    host.server.commit()
    tip = host.server.commit()
    shallow = tmp_path / "shallow"
    run("git", "clone", "--quiet", "--depth=1", f"file://{host.server.root}", str(shallow))
    standing = host.advance(host.settings(f"file://{shallow}", f"file://{host.server.root}"))
    assert standing.commit == tip
    assert "shallow" in standing.notes[0]


def test_a_history_over_plain_files_on_https_or_http_works_where_signatures_prove_it(
    host: Host, tmp_path: Path
) -> None:
    commit = host.server.commit()
    run("git", "clone", "--quiet", "--bare", str(host.server.root), str(tmp_path / "www" / "fleet.git"))
    run("git", "update-server-info", cwd=tmp_path / "www" / "fleet.git")
    (host.places.config).mkdir(exist_ok=True)
    (host.places.config / "signers").write_text("")
    with web(tmp_path / "www") as address:
        text = f"host: web1\ntrust: {{signers: signers}}\nremotes: ['{address}/fleet.git']\n"
        settings = agent_settings(host.places, text)
        assert host.advance(settings).commit == commit


def test_a_commit_that_was_refused_is_remembered_until_what_it_was_judged_by_changes(host: Host) -> None:
    good = host.server.commit()
    host.advance()
    bad = host.server.commit()
    judged = []

    def refuse(_: Intake, commit: str, __: str | None) -> str:
        judged.append(commit)
        raise RefusedError(commit, "is not good")

    for admit in (refuse, refuse, None):
        standing = host.advance(admit=admit)
        assert (standing.commit, standing.refused) == (good, bad)
        assert standing.notes == (f"refused: commit {bad[:12]} is not good",)
    assert judged == [bad]
    host.advance(host.settings(more="timeout: 21s\n"), refuse)
    assert judged == [bad, bad]


@contextmanager
def web(directory: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def commands(word: str) -> list[str]:
    """Give the commands on this machine whose line has a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if word in line]
