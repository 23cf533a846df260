"""A proposal is one commit on its own branch, and nothing of the user's is touched or lost."""

from functools import partial
from pathlib import Path

import pytest

from gitops.git.proposal import BOT, Proposal, build, own, propose
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.system.run import run
from tests.archive import SigningKey
from tests.git.conftest import git

CHANGES = {"locks/a.lock": "one\n", "images/link": None, "images/tool": "#!/bin/sh\ntrue\n"}


def put(root: Path, text: str = "one\n", branch: str = "gitops/updates") -> Proposal:
    repository = Repository(root)
    changes = {**CHANGES, "locks/a.lock": text}
    return propose(repository, branch, repository.head(), changes, f"Say {text}", BOT)


def test_a_proposal_is_one_commit_on_the_base_with_only_its_changes(root: Path) -> None:
    made = put(root)
    assert made.state == "new"
    assert git(root, "rev-parse", "gitops/updates^") == git(root, "rev-parse", "main")
    assert git(root, "diff", "--name-status", "main", "gitops/updates").split() == [
        *("D", "images/link", "M", "images/tool", "A", "locks/a.lock")
    ]
    assert git(root, "ls-tree", "gitops/updates", "images/tool").startswith("100755 ")
    assert git(root, "log", "-1", "--format=%B", "gitops/updates") == "Say one"
    assert git(root, "fsck", "--strict") == ""


def test_the_user_s_checkout_index_and_unsaved_work_stay_as_they_are(root: Path) -> None:
    (root / "fleet.yaml").write_text("name: unsaved\n")
    (root / "new").write_text("staged\n")
    git(root, "add", "new")
    index, status = (root / ".git/index").read_bytes(), git(root, "status", "--porcelain=v2", "--branch")
    put(root)
    assert (root / ".git/index").read_bytes() == index
    assert git(root, "status", "--porcelain=v2", "--branch") == status
    assert "unsaved" not in git(root, "show", "gitops/updates:fleet.yaml")


def test_the_same_proposal_twice_makes_no_new_commit(root: Path) -> None:
    first = put(root)
    second = put(root)
    assert (second.state, second.commit) == ("unchanged", first.commit)
    assert git(root, "reflog", "gitops/updates").count("\n") == 0


def test_a_newer_proposal_replaces_the_older_one_on_the_newest_base(root: Path) -> None:
    put(root)
    git(root, "commit", "--quiet", "--allow-empty", "-m", "Go on")
    assert put(root, "two\n").state == "moved"
    assert git(root, "rev-list", "--count", "main..gitops/updates") == "1"
    assert git(root, "show", "gitops/updates:locks/a.lock") == "two"


def test_a_person_s_own_commit_on_the_branch_is_never_lost(root: Path) -> None:
    put(root)
    git(root, "switch", "--quiet", "gitops/updates")
    git(root, "commit", "--quiet", "--amend", "-m", "My own words")
    git(root, "switch", "--quiet", "main")
    before = git(root, "rev-parse", "gitops/updates")
    with pytest.raises(UserError, match=r"carries a commit of 'Ada <ada@example.org>'.*'My own words'"):
        put(root, "two\n")
    assert git(root, "rev-parse", "gitops/updates") == before


def test_a_merged_branch_is_used_again(root: Path) -> None:
    put(root)
    git(root, "merge", "--quiet", "--no-ff", "-m", "Take it", "gitops/updates")
    assert put(root, "two\n").state == "moved"


def test_a_branch_that_is_checked_out_is_not_moved_under_its_user(root: Path) -> None:
    put(root)
    git(root, "switch", "--quiet", "gitops/updates")
    with pytest.raises(UserError, match="is checked out in"):
        put(root, "two\n")


def test_a_fleet_inside_a_larger_repository_changes_only_its_own_directory(root: Path) -> None:
    propose(Repository(root / "images"), "topic", "HEAD", {"new.lock": "x\n"}, "Add", BOT)
    assert git(root, "diff", "--name-only", "main", "topic") == "images/new.lock"


def test_a_branch_name_that_git_refuses_is_the_user_s_to_mend(root: Path) -> None:
    git(root, "branch", "gitops")
    with pytest.raises(UserError, match="cannot be moved"):
        put(root)


def test_a_base_that_went_on_or_new_words_make_a_new_commit_and_nothing_else_does(root: Path) -> None:
    repository = Repository(root)
    first = build(repository, "main", CHANGES, "Say", committer=BOT)
    again = partial(build, repository, committer=BOT, reuse=first)
    assert again("main", CHANGES, "Say\n") == first
    assert again("main", CHANGES, "Say more") != first
    assert again("main", {**CHANGES, "x": "y"}, "Say") != first
    assert build(repository, "main", CHANGES, "Say", committer="Bo <bo@example.org>", reuse=first) != first
    git(root, "commit", "--quiet", "--allow-empty", "-m", "Go on")
    assert again("main", CHANGES, "Say") != first


def test_text_arrives_byte_for_byte_and_a_file_takes_the_place_of_a_link_or_a_directory(root: Path) -> None:
    git(root, "config", "core.autocrlf", "true")
    git(root, "config", "i18n.commitEncoding", "ISO-8859-1")
    (root / ".gitattributes").write_text("* text eol=crlf ident\n")
    changes = {"a\nb": "$Id$\r\nü", "images/link": "text", "fleet.yaml/below": "x", "images": None}
    commit = build(Repository(root), "HEAD", changes, "Grüße → ü", committer="Zoë <zoe@example.org>")
    listed = git(root, "ls-tree", "-r", "-z", commit).split("\0")
    modes = {entry.partition("\t")[2]: entry[:6] for entry in listed if entry}
    regular = ("a\nb", "fleet.yaml/below", "images/link")
    assert modes == {**dict.fromkeys(regular, "100644"), "images/tool": "100755"}
    assert run(["git", "-C", root, "cat-file", "blob", f"{commit}:a\nb"]).stdout == "$Id$\r\nü"
    shown = run(
        ["git", "-C", root, "-c", "i18n.logOutputEncoding=UTF-8", "log", "-1", "--format=%an %B", commit]
    )
    assert shown.stdout.strip() == "Zoë Grüße → ü"


def test_a_repository_with_longer_names_is_refused_in_so_many_words(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    with pytest.raises(UserError, match="names its objects by SHA-256"):
        put(tmp_path)
    assert git(tmp_path, "branch", "--list", "gitops/*") == ""


def test_only_a_commit_that_could_be_lost_counts_as_a_person_s_own(root: Path) -> None:
    repository = Repository(root)
    bot = "Gitops, Inc. <bot@example.org>"  # git takes the final dot off such a name
    for committer in (BOT, bot, "Inc. <bot@example.org>"):
        made = build(repository, "main", CHANGES, "Say", committer=committer)
        assert own(repository, made, "main", committer) is None
        assert build(repository, "main", CHANGES, "Say", committer=committer, reuse=made) == made
    assert own(repository, build(repository, "main", {}, "Say", committer=BOT), "main", bot) is None
    git(root, "checkout", "--quiet", "-b", "topic", made)
    git(root, "commit", "--quiet", "--allow-empty", "-m", "My own words")
    found = own(repository, "topic", "main", bot)
    assert found is not None
    assert (found.committer, found.subject) == ("Ada <ada@example.org>", "My own words")
    git(root, "branch", "--force", "main", "topic")
    assert own(repository, "topic", "main", bot) is None


def test_a_commit_is_signed_with_the_ssh_key_that_git_is_told(root: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
    allowed = tmp_path / "allowed"
    allowed.write_text(f"gitops@localhost {(tmp_path / 'key.pub').read_text()}")
    before = put(root)
    for name, value in (
        ("commit.gpgSign", "yes"),
        ("gpg.format", "ssh"),
        ("user.signingKey", str(key)),
        ("gpg.ssh.allowedSignersFile", str(allowed)),
    ):
        git(root, "config", name, value)
    signed = put(root)
    assert (before.state, signed.state, put(root).state) == ("new", "moved", "unchanged")
    run(["git", "-C", root, "verify-commit", "gitops/updates"])
    git(root, "config", "commit.gpgSign", "false")
    assert put(root).state == "moved"
    with pytest.raises(UserError, match="verify-commit"):
        run(["git", "-C", root, "verify-commit", "gitops/updates"])


def test_a_commit_is_signed_with_the_openpgp_key_that_git_is_told(
    root: Path, archive_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GNUPGHOME", str(archive_key.home))
    git(root, "config", "commit.gpgSign", "true")
    git(root, "config", "user.signingKey", archive_key.fingerprint)
    assert put(root).state == "new"
    run(["git", "-C", root, "verify-commit", "gitops/updates"])
    assert put(root).state == "unchanged"


def test_a_key_that_is_not_there_makes_no_unsigned_commit(root: Path, tmp_path: Path) -> None:
    git(root, "config", "commit.gpgSign", "true")
    git(root, "config", "gpg.format", "ssh")
    git(root, "config", "user.signingKey", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="cannot be signed") as caught:
        put(root)
    assert "nowhere" in str(caught.value)
    assert Repository(root).find("gitops/updates") is None
