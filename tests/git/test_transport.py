"""A token goes to its own server and nowhere else; nobody is asked anything; nothing hangs for ever."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.git.transport import environment, told, without_credentials
from gitops.system.errors import UserError
from tests.git.conftest import git
from tests.git.servers import TOKEN, HttpServer, http_server, ssh_server


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[HttpServer]:
    """A server with one repository, which the clone has as `origin`."""
    bare = tmp_path / "server" / "fleet.git"
    git(root, "clone", "--quiet", "--bare", str(root), str(bare))
    with http_server(bare.parent) as running:
        git(root, "remote", "add", "origin", f"{running.url}/fleet.git")
        yield running


def test_the_token_is_in_no_argument_no_url_and_no_file(
    root: Path, server: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace"
    for variable in ("GIT_TRACE", "GIT_TRACE_CURL"):
        monkeypatch.setenv(variable, str(trace))
    remote = Remote(Repository(root), "origin", TOKEN)
    assert set(remote.fetch("main", "gitops/")) == {"main"}
    (secret,) = {value for values in server.asked for value in values}
    written = "".join(
        file.read_text(errors="replace") for file in (trace, *root.rglob("*")) if file.is_file()
    )
    assert "git-remote-http origin http://127.0.0.1" in written
    for word in (TOKEN, secret.split()[1]):
        assert word not in written
        assert word not in repr(remote)


def test_a_token_that_a_pipeline_left_behind_is_not_sent_along(root: Path, server: HttpServer) -> None:
    git(root, "config", f"http.{server.url}/.extraHeader", "AUTHORIZATION: basic c3RhbGU=")
    with pytest.raises(UserError, match="failed"):
        Remote(Repository(root), "origin").default_branch()
    assert Remote(Repository(root), "origin", TOKEN).default_branch() == "main"


def test_a_token_that_is_refused_is_told_without_it_and_nobody_is_asked(
    root: Path, server: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    git(root, "config", "credential.helper", f"!touch {asked};")
    monkeypatch.setenv("GIT_ASKPASS", "touch")
    with pytest.raises(UserError, match=rf"git ls-remote: {server.url}/fleet.git failed") as caught:
        Remote(Repository(root), "origin", "another-token").default_branch()
    assert "another-token" not in str(caught.value)
    assert not asked.exists()


def test_a_token_follows_no_redirect(root: Path, server: HttpServer, tmp_path: Path) -> None:
    with http_server(tmp_path / "server") as elsewhere:
        server.redirect = elsewhere.url
        with pytest.raises(UserError, match="failed") as caught:
            Remote(Repository(root), "origin", TOKEN).default_branch()
        assert "a token follows no redirect" in str(caught.value)
        assert elsewhere.asked == []


def test_a_token_does_not_travel_in_the_clear(root: Path) -> None:
    git(root, "remote", "add", "origin", "http://git.example.org/fleet.git")
    with pytest.raises(UserError, match="a token is not sent over plain http"):
        Remote(Repository(root), "origin", TOKEN).default_branch()


def test_a_server_that_never_answers_does_not_hold_the_run_for_ever(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        git(root, "remote", "add", "origin", f"http://127.0.0.1:{silent.getsockname()[1]}/fleet.git")
        with pytest.raises(UserError, match="did not answer within 1 s"):
            Remote(Repository(root), "origin", TOKEN, timeout=1).default_branch()


def test_ssh_refuses_a_server_it_does_not_know_instead_of_asking(root: Path, tmp_path: Path) -> None:
    with ssh_server(tmp_path / "ssh") as server:
        git(root, "remote", "add", "origin", f"{server.url}{root}")
        git(root, "config", "core.sshCommand", server.stranger)
        with pytest.raises(UserError, match="failed") as caught:
            Remote(Repository(root), "origin").default_branch()
    assert "Host key verification failed" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ada:secret@git.example.org/o/r", "https://git.example.org/o/r"),
        ("https://secret@git.example.org:8443/o/r.git", "https://git.example.org:8443/o/r.git"),
        ("https://a:p@ss@git.example.org/o@2/r", "https://git.example.org/o@2/r"),
        ("ssh://git:secret@git.example.org/o/r", "ssh://git@git.example.org/o/r"),
        ("git@git.example.org:o/r.git", "git@git.example.org:o/r.git"),
        ("/srv/git/a@b/fleet.git", "/srv/git/a@b/fleet.git"),
    ],
)
def test_a_url_is_shown_without_what_is_secret_in_it(root: Path, url: str, shown: str) -> None:
    git(root, "remote", "add", "origin", url)
    assert Remote(Repository(root), "origin").url == shown == without_credentials(url)


def test_what_is_told_has_no_credentials() -> None:
    text = "fatal: https://ada:secret@git.example.org/ said\x1b[2J t0ken and eC1hY2Nlc3MtdG9rZW46dDBrZW4=\n"
    assert told(text, "t0ken") == "fatal: https://git.example.org/ said[2J *** and ***"


def test_the_user_s_own_ssh_and_configuration_in_the_environment_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    made = environment("https://git.example.org/o/r", TOKEN, "ssh -i key")
    assert "GIT_CONFIG_KEY_1" not in made
    assert made["GIT_CONFIG_KEY_2"] == "http.lowSpeedLimit"
    assert made["GIT_SSH_COMMAND"].startswith("ssh -i key -o BatchMode=yes")
    assert "GIT_SSH_COMMAND" not in environment("git@git.example.org:o/r", None, "plink -batch")
    monkeypatch.setenv("GIT_SSH", "/usr/local/bin/my-ssh")
    assert "GIT_SSH_COMMAND" not in environment("git@git.example.org:o/r", None, "")
