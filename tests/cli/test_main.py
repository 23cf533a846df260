"""What every verb has in common."""

import re
import subprocess
import sys
from pathlib import Path

import gitops
from gitops.cli.main import app

GITOPS = [sys.executable, "-m", "gitops"]


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GITOPS, *words], capture_output=True, text=True, cwd=cwd, check=False)


def verbs() -> list[str]:
    return re.findall(r"(?m)^  ([a-z]+) ", run("--help").stdout.partition("Commands:")[2])


def test_help_lists_every_verb_with_a_line() -> None:
    expected = {"init", "check", "schema", "lock", "build", "render", "update", "plan", "apply", "status"}
    expected |= {"agent", "diff", "doctor", "exec", "graph", "history", "rollback", "volume", "why"}
    assert set(verbs()) == expected | {
        *(
            "backup",
            "completion",
            "hooks",
            "import",
            "job",
            "notify",
            "push",
            "registry",
            "secret",
            "test",
            "log",
        ),
    }
    assert len(app.registered_commands) + len(app.registered_groups) == len(verbs())


def test_every_verb_has_help() -> None:
    for verb in verbs():
        done = run(verb, "--help")
        assert done.returncode == 0, done.stderr
        assert "Usage:" in done.stdout


def test_version_is_the_packages() -> None:
    assert run("--version").stdout == f"gitops {gitops.__version__}\n"


def test_wrong_usage_is_status_2_and_a_users_error_status_1(tmp_path: Path) -> None:
    assert run("check", "--no-such-option").returncode == 2
    assert run("no-such-verb").returncode == 2
    outside = run("check", cwd=tmp_path)
    assert outside.returncode == 1
    assert "Traceback" not in outside.stderr
    assert "fleet.yaml" in outside.stderr


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, gitops.cli.main; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"docker", "git", "pydantic", "jinja2", "ruamel.yaml", "httpx", "debian", "sqlite3", "cronsim"}
    assert not heavy & set(modules)


def test_ctrl_c_that_a_library_made_an_error_of_is_still_ctrl_c() -> None:
    program = """
import os, signal
from gitops.cli import main

def verb():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException as error:
        raise ValueError("cannot build a validator") from error

main.app = verb
main.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted; run it again to carry on\n")


def test_output_that_nobody_has_room_for_is_said_and_no_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "gitops", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr == "what is printed cannot be written: No space left on device\n"
