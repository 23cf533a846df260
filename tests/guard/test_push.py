"""What a server with the hooks takes: real pushes, over ssh, http and from the disk."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.server import Person
from tests.git.servers import TOKEN, HttpServer, SshServer
from tests.guard.conftest import Bare, Work, gitops


def break_it(work: Work) -> None:
    (work.root / "apps/shop.yaml").write_text("services:\n  web: {image: web, prots: [1]}\n")


@pytest.fixture
def by(work: Work, bare: Bare, ssh: SshServer, http: HttpServer) -> Callable[[str], None]:
    """Let `origin` be reached over ssh or http."""

    def choose(protocol: str) -> None:
        if protocol == "ssh":
            work.ok("remote", "set-url", "origin", f"{ssh.url}{bare.root}")
            work.ok("config", "core.sshCommand", ssh.command)
        else:
            bare.git("config", "http.receivepack", "true")
            address = http.url.replace("http://", f"http://x-access-token:{TOKEN}@")
            work.ok("remote", "set-url", "origin", f"{address}/{bare.root.name}")

    return choose


@pytest.mark.parametrize("protocol", ["ssh", "http"])
def test_what_can_be_deployed_is_taken_and_what_is_broken_is_named_by_file_and_line(
    work: Work, bare: Bare, by: Callable[[str], None], protocol: str
) -> None:
    by(protocol)
    work.ok("push", "--quiet", "origin", "main")
    break_it(work)
    work.commit()
    told = work.refused("origin", "main")
    assert "remote: main at" in told
    assert "remote: apps/shop.yaml:2:21: unknown key `prots`" in told
    assert "did you mean `ports`" in told
    assert bare.branches()["main"] == work.ok("rev-parse", "HEAD^")
    assert not list(bare.root.glob("objects/tmp_objdir*")), "what was refused is kept"


def test_stale_renderings_and_locks_of_another_definition_are_refused(work: Work, bare: Bare) -> None:
    image = work.root / "images/web.yaml"
    image.write_text(f"{image.read_text()}expose: [80]\n")
    work.commit()
    assert "rendered/images/web.amd64.Dockerfile: is not what its definition says" in work.refused(
        "origin", "main"
    )
    image.write_text(image.read_text().replace("[nginx]", "[nginx, curl]"))
    work.commit()
    assert "locks/web.amd64.lock: was made from another definition of web" in work.refused("origin", "main")
    work.render()
    work.commit()
    work.ok("push", "--quiet", "origin", "main")
    assert bare.branches() == {"main": work.ok("rev-parse", "HEAD")}


@pytest.mark.parametrize(("count", "protocol"), [(100, "http"), (1000, "ssh")])
def test_of_many_commits_the_last_is_judged(
    work: Work, bare: Bare, by: Callable[[str], None], count: int, protocol: str
) -> None:
    by(protocol)
    stream = "".join(
        f"commit refs/heads/main\ncommitter x <x@example.org> {1700000000 + number} +0000\ndata 4\nmore\n"
        + ("from refs/heads/main^0\n" if number == 0 else "")
        + f"M 644 inline broken\ndata {len(str(number))}\n{number}\n"
        for number in range(count)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=work.root, input=stream.encode(), check=True)
    work.ok("push", "--quiet", "origin", "main")
    assert bare.git("rev-list", "--count", "main") == str(count + 1)
    work.ok("reset", "--quiet", "--hard")
    break_it(work)
    work.commit()
    assert "unknown key `prots`" in work.refused("origin", "main")


def test_a_protected_branch_neither_goes_back_nor_away(work: Work, bare: Bare) -> None:
    first = work.ok("rev-parse", "HEAD")
    work.commit(subject="Second")
    work.ok("push", "--quiet", "origin", "main")
    assert f"does not stand on {work.ok('rev-parse', 'HEAD')[:12]}" in work.refused(
        "--force", "origin", f"{first}:main"
    )
    bare.git("config", "receive.denyDeleteCurrent", "false")
    assert "a protected branch is not deleted" in work.refused("origin", ":main")


@pytest.mark.parametrize("protocol", ["ssh", "http"])
def test_other_branches_and_tags_are_everybodys_own(
    work: Work, bare: Bare, by: Callable[[str], None], protocol: str
) -> None:
    by(protocol)
    work.ok("push", "--quiet", "origin", "main")
    break_it(work)
    work.commit()
    work.ok("tag", "broken")
    work.ok("push", "--quiet", "origin", "main:work", "broken")
    work.ok("push", "--quiet", "--force", "origin", "main^:work")
    work.ok("push", "--quiet", "origin", ":work", ":broken")
    assert set(bare.branches()) == {"main"}


def test_one_bad_branch_of_several_lets_none_in(work: Work, bare: Bare) -> None:
    bare.git("config", "receive.advertisePushOptions", "true")
    bare.git("config", "--add", "gitops.protected", "main")
    bare.git("config", "--add", "gitops.protected", "release/*")
    work.ok("branch", "release/1")
    break_it(work)
    work.commit()
    told = work.refused("--push-option=gitops.skip", "origin", "main", "release/1", "main:topic")
    assert "main at" in told
    assert "release/1 at" not in told
    assert bare.branches() == {}


def test_whom_the_server_lists_may_push_and_nobody_else(
    work: Work, bare: Bare, people: Callable[[str], Person]
) -> None:
    ada, eve = people("ada"), people("eve")
    (bare.root / "signers").write_text(ada.line)
    bare.git("config", "gitops.signers", "signers")
    assert "the commit is not signed" in work.refused("origin", "main")
    work.commit(*eve.signing)
    told = work.refused("origin", "main")
    assert "is signed with the ED25519 key SHA256:" in told
    assert "which is not one of the signers" in told
    work.commit(*ada.signing)
    work.ok("push", "--quiet", "origin", "main")
    work.commit(*ada.signing)
    (bare.root / "signers").chmod(0o664)
    assert "signers: can be changed by others" in work.refused("origin", "main")
    (bare.root / "signers").unlink()
    assert "signers: cannot be read" in work.refused("origin", "main")


def test_a_shallow_clones_commit_is_judged_as_any_other(work: Work, bare: Bare, tmp_path: Path) -> None:
    work.commit()
    work.ok("push", "--quiet", "origin", "main")
    work.ok("clone", "--quiet", "--depth=1", f"file://{bare.root}", str(tmp_path / "shallow"))
    shallow = Work(tmp_path / "shallow")
    break_it(shallow)
    shallow.commit()
    assert "unknown key `prots`" in shallow.refused("origin", "main")
    shallow.ok("reset", "--quiet", "--hard", "HEAD^")
    shallow.commit()
    shallow.ok("push", "--quiet", "origin", "main")


def test_what_is_kept_in_another_repository_counts_as_here(work: Work, bare: Bare, tmp_path: Path) -> None:
    work.ok("push", "--quiet", "origin", "main")
    fork = Bare(tmp_path / "fork.git")
    work.ok("clone", "--quiet", "--bare", "--shared", str(bare.root), str(fork.root))
    assert gitops("hooks", "install", "--server", cwd=fork.root).returncode == 0
    break_it(work)
    work.commit()
    assert "unknown key `prots`" in work.refused(str(fork.root), "main")
    work.ok("reset", "--quiet", "--hard", "HEAD^")
    work.commit()
    work.ok("push", "--quiet", str(fork.root), "main")
    assert fork.branches()["main"] == work.ok("rev-parse", "HEAD")


def test_a_repository_without_a_fleet_may_get_one_and_not_lose_it(work: Work, bare: Bare) -> None:
    ready = work.ok("rev-parse", "HEAD")
    work.ok("switch", "--quiet", "--orphan=start")
    (work.root / "README").write_text("About\n")
    work.commit()
    work.ok("push", "--quiet", "origin", "start:main")
    work.ok("merge", "--quiet", "--no-verify", "--allow-unrelated-histories", "--message=Both", ready)
    work.ok("push", "--quiet", "origin", "start:main")
    (work.root / "fleet.yaml").unlink()
    work.commit()
    assert "fleet.yaml: is gone" in work.refused("origin", "start:main")
    assert bare.branches()["main"] == work.ok("rev-parse", "HEAD^")


def test_links_out_of_the_fleet_and_odd_names_show_nothing_of_the_server(work: Work, bare: Bare) -> None:
    (work.root / "fleet.yaml").unlink()
    (work.root / "fleet.yaml").symlink_to("/etc/passwd")
    (work.root / "locks/web.amd64.lock").unlink()
    (work.root / "locks/web.amd64.lock").symlink_to("/dev/zero")
    (work.root / "apps/\x1b[31mred\n.yaml").write_text("services: {}\n")
    (work.root / "apps/\udcff.yaml").write_text("services: {}\n")
    work.commit()
    told = work.refused("origin", "main")
    assert "root:" not in told
    assert "\x1b" not in told
    assert "fleet.yaml: cannot be read: No such file or directory" in told
    assert "\\x1b[31mred" in told
    assert "/gitops-guard-" not in told
    assert bare.branches() == {}
