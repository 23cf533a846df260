"""What travels in the wheel works without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from gitops.cli.manual import pages

CHECKOUT = Path(__file__).parent.parent


def test_init_works_from_an_installed_wheel(tmp_path: Path) -> None:
    python = [sys.executable, "-m"]
    subprocess.run(
        [*python, "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path / "wheels", CHECKOUT],
        check=True,
    )
    (wheel,) = (tmp_path / "wheels").iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("templates", "pipelines", "hooks"):
        shipped = {path.relative_to(CHECKOUT) for path in (CHECKOUT / folder).rglob("*") if path.is_file()}
        assert {f"gitops/{path}" for path in shipped} <= set(names)
    shared = {name.partition(".data/data/")[2] for name in names}
    assert {f"share/man/man1/{page}" for page in pages()} <= shared
    assert {
        "share/bash-completion/completions/gitops",
        "share/zsh/site-functions/_gitops",
        "share/fish/vendor_completions.d/gitops.fish",
    } <= shared
    installed = tmp_path / "installed"
    subprocess.run(
        [*python, "pip", "install", "--quiet", "--no-deps", "--target", installed, wheel], check=True
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    where = subprocess.run(
        [sys.executable, "-c", "import gitops; print(gitops.__file__)"],
        env=environment, cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert str(installed) in where.stdout
    mirror = [
        "--mirror",
        "http://deb.example.org/debian",
        "--security",
        "http://deb.example.org/debian-security",
    ]
    python_app = ["init", "notes", "--template", "python-app", *mirror]
    for words in (["init", "blogs", *mirror], ["check", "--fleet", "blogs"], python_app):
        done = subprocess.run(
            [*python, "gitops", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "http://deb.example.org/debian" in (tmp_path / "blogs/fleet.yaml").read_text()
    assert not list((tmp_path / "notes").rglob("*.pyc"))
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "blogs.git"], check=True)
    hooks = [*python, "gitops", "hooks", "install", "--server", "--repository", "blogs.git"]
    subprocess.run(hooks, env=environment, cwd=tmp_path, check=True, capture_output=True)
    pushed = f"{'0' * 40} {'1' * 40} refs/heads/anything\n"
    hook = tmp_path / "blogs.git/hooks/pre-receive"
    done = subprocess.run(
        [hook], input=pushed, env=environment, cwd=tmp_path / "blogs.git", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # The command that pip and pipx put onto PATH.
    told = subprocess.run(
        [installed / "bin/gitops", "--version"], env=environment, check=True, capture_output=True, text=True
    )
    assert told.stdout.startswith("gitops ")


def test_every_verb_is_there_with_debian_13s_libraries_for_command_lines(tmp_path: Path) -> None:
    """Those of the development environment are newer, and take more."""
    old = ["typer==0.15.2", "click==8.1.8"]
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path)]
    subprocess.run([*install, *old], check=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for words in (["--help"], ["agent", "update", "--help"], ["backup", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "gitops", *words],
            env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Usage:" in done.stdout
