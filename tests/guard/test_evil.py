"""What people who may push, and mean harm, can make the server do: nothing but refuse them."""

import subprocess
from pathlib import Path

import pytest

from gitops.git import listing
from gitops.git.repository import Repository
from gitops.system.errors import UserError
from tests.guard.conftest import Bare, Work


def template(work: Work, text: str) -> None:
    (work.root / "templates").mkdir()
    (work.root / "templates/Dockerfile.j2").write_text(text)
    work.commit()


def stored(work: Work, kind: str, content: bytes) -> str:
    command = ["git", "hash-object", "-t", kind, "-w", "--stdin", "--literally"]
    done = subprocess.run(command, cwd=work.root, input=content, check=True, capture_output=True)
    return done.stdout.decode().strip()


def tree(work: Work, *entries: tuple[str, str, str]) -> str:
    """Store a tree of (mode, name, object), whatever git thinks of it."""
    content = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(held) for mode, name, held in entries)
    return stored(work, "tree", content)


def push_tree(work: Work, name: str) -> str:
    commit = work.ok("commit-tree", name, "-p", "HEAD", "-m", "Harm")
    return work.refused("origin", f"{commit}:refs/heads/main")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ 'x' * 10 ** 10 }}", "takes more than 2,048 MiB of memory"),
        (
            "\n{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
            "templates/Dockerfile.j2:2: the template fails",
        ),
        ("\n{{ source.__class__ }}", "templates/Dockerfile.j2:2: the template fails: access to attribute"),
    ],
)
@pytest.mark.usefixtures("bare")
def test_a_template_that_asks_for_too_much_is_refused(work: Work, text: str, told: str) -> None:
    template(work, text)
    assert told in work.refused("origin", "main")


@pytest.mark.usefixtures("bare")
def test_a_template_that_never_ends_is_ended(work: Work) -> None:
    many = "{% for i in range(100000) %}"
    template(work, f"{many}{many}{{% set x = 1 %}}{'{% endfor %}' * 2}")
    # The administrator's own limit, where it is lower than ours, is the one that counts.
    limited = ("sh", "-c", 'ulimit -S -t 1; exec "$@"', "sh", "git", "push", "--quiet", "origin", "main")
    done = subprocess.run(limited, cwd=work.root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "takes too long to judge" in done.stderr


@pytest.mark.parametrize("name", [".git", "..", "a/../../b"])
@pytest.mark.usefixtures("bare")
def test_a_path_that_leaves_the_directory_is_written_nowhere(work: Work, name: str) -> None:
    blob = work.ok("rev-parse", "HEAD:fleet.yaml")
    inner = tree(work, ("100644", "evil", blob))
    told = push_tree(work, tree(work, ("40000", name, inner), ("100644", "fleet.yaml", blob)))
    assert "git cannot check this out" in told
    assert "invalid path" in told


def test_trees_that_hold_each_other_are_not_followed_for_ever(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = work.ok("rev-parse", "HEAD:fleet.yaml")
    held = tree(work, *(("100644", f"f{number}", blob) for number in range(10)))
    for _ in range(9):
        held = tree(work, *(("40000", f"d{number}", held) for number in range(10)))
    monkeypatch.setattr(listing, "_LISTING", 1 << 16)
    with pytest.raises(UserError, match="more files than any fleet"):
        listing.listing(Repository(work.root), held)


def test_files_are_weighed_before_they_are_written(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    found = listing.listing(Repository(work.root), "HEAD")
    assert found.size == sum(path.stat().st_size for path in _files(work.root))
    monkeypatch.setattr(listing, "LARGEST", found.size - 1)
    with pytest.raises(UserError, match="MiB of files"):
        listing.listing(Repository(work.root), "HEAD")


def test_a_submodule_and_what_looks_like_a_definition_are_told_apart(work: Work, bare: Bare) -> None:
    head = work.ok("rev-parse", "HEAD")
    work.ok("update-index", "--add", "--cacheinfo", f"160000,{head},vendored")
    work.ok("commit", "--quiet", "--message=Vendor it")
    work.ok("push", "--quiet", "origin", "main")
    work.ok("update-index", "--add", "--cacheinfo", f"160000,{head},apps/vendored.yaml")
    work.ok("commit", "--quiet", "--message=Vendor it there")
    assert "apps/vendored.yaml: is a directory" in work.refused("origin", "main")
    assert bare.branches()["main"] == work.ok("rev-parse", "HEAD^")


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts]
