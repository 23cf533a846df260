"""Shells complete verbs, options and the fleet's names: the real bash, zsh and fish, on a real terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.cli.completing.answer import answer
from gitops.cli.tree import tree
from tests.cli.screen import Screen, screen

BIN = Path(sys.executable).parent

APP = """\
services:
  web: {image: nginx}
  db: {image: mariadb, volumes: ["data:/data"]}
jobs:
  tidy: {service: web, schedule: daily, command: [true]}
  tick: {service: web, schedule: hourly, command: [true]}
backup:
  databases: [{service: db, kind: mariadb, name: shop}]
  volumes: [data]
"""
HOST = "instances: {alice: {app: blog}, albert: {app: blog}, bob: {app: wiki}}\n"
SHELLS = {
    "bash": (
        "bash --norc --noprofile -i",
        "PS1='%% '; bind 'set show-all-if-ambiguous on'; eval \"$(gitops completion bash)\"",
    ),
    "zsh": (
        "zsh -f -i",
        "PS1='%%%% '; autoload -U compinit; compinit -D; eval \"$(gitops completion zsh)\"",
    ),
    "fish": (
        "fish --no-config -i",
        "function fish_prompt; echo '%% '; end; gitops completion fish | source",
    ),
}
LINES = {
    "gitops stat": "gitops status",
    "gitops backup re": "gitops backup restore",
    "gitops backup run ali": "gitops backup run alice",
    "gitops job run alice tid": "gitops job run alice tidy",
    "gitops job run @ho": "gitops job run @host",
    "gitops plan --host web": "gitops plan --host web1",
    "gitops plan --host=web": "gitops plan --host=web1",
    "gitops build ng": "gitops build nginx",
    "gitops secret edit tok": "gitops secret edit token",
    "gitops backup restore alice --only volume/d": "gitops backup restore alice --only volume/data",
    "gitops apply --allow": "gitops apply --allow-empty",
    "gitops check --fleet im": "gitops check --fleet images/",
}


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    root = tmp_path / "fleet"
    texts = {
        "fleet.yaml": "name: f\n",
        "images/nginx.yaml": "",
        "images/mariadb.yaml": "",
        "apps/blog.yaml": APP,
        "apps/wiki.yaml": "services: {page: {image: nginx}}\n",
        "hosts/web1.yaml": HOST,
        "hosts/db1.yaml": "instances: {carol: {app: wiki}}\n",
        "secrets/token.age": "",
    }
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def environment(fleet: Path) -> dict[str, str]:
    return {"GITOPS_ROOT": str(fleet.parent / "root"), "PATH": f"{BIN}:{os.environ['PATH']}"}


def words(fleet: Path, *line: str) -> list[str]:
    """Give what may stand at the end of a line, without what it means."""
    asking = {**os.environ, **environment(fleet), "_GITOPS_COMPLETE": "bash"}
    done = subprocess.run(
        [BIN / "gitops", *line], env=asking, cwd=fleet, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [each.partition("\t")[0] for each in done.stdout.splitlines()]


def typed(terminal: Screen, line: str, wanted: str) -> None:
    terminal.type("C-u", line, "Tab")
    terminal.wait_for(lambda text: text.rstrip().endswith(f"%% {wanted}"))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_what_is_typed(shell: str, fleet: Path) -> None:
    command, setup = SHELLS[shell]
    with screen(fleet, command, environment=environment(fleet)) as terminal:
        terminal.type(f"{setup}; clear", "Enter")
        terminal.wait_for(lambda text: text.strip() == "%%")
        for line, wanted in LINES.items():
            typed(terminal, line, wanted)
        terminal.type("C-u", "gitops job run al", "Tab")
        text = terminal.wait_for(lambda text: "albert" in text and "alice" in text)
        assert ("blog on web1" in text) is (shell != "bash")


def test_names_are_those_of_the_fleet_the_host_and_the_instance_that_are_meant(fleet: Path) -> None:
    assert words(fleet, "backup", "run", "") == ["carol", "alice", "albert", "bob"]
    assert words(fleet, "backup", "run", "--host", "web1", "alice", "") == ["albert", "bob"]
    assert words(fleet, "job", "run", "bob", "") == []
    assert words(fleet, "job", "run", "alice", "") == ["tidy", "tick"]
    assert words(fleet, "exec", "alice", "") == ["web", "db"]
    assert words(fleet, "test", "m") == ["mariadb"]
    assert words(fleet, "test", "") == ["mariadb", "nginx", "blog", "wiki"]
    assert "postgres-app" in words(fleet, "init", "--template", "")
    assert words(fleet, "schema", "") == ["fleet", "image", "app", "host"]
    assert words(fleet / "apps", "backup", "run", "c") == ["carol"]
    assert words(fleet.parent, "backup", "run", "--fleet", "fleet", "c") == ["carol"]
    assert words(fleet.parent, "backup", "run", "") == []


def test_a_change_is_seen_and_what_is_half_written_breaks_nothing(fleet: Path) -> None:
    assert "dora" not in words(fleet, "backup", "run", "")
    (fleet / "hosts/web1.yaml").write_text("instances: {dora: {app: blog}}\n")
    assert words(fleet, "backup", "run", "") == ["carol", "dora"]
    for text in ("instances: {dora: {app", "instances: [1]", "- \x00", "instances: {a: 3}", "[" * 2000):
        (fleet / "hosts/web1.yaml").write_text(text)
        assert words(fleet, "backup", "run", "") == ["carol"]


def test_a_name_that_a_shell_would_obey_is_not_offered(fleet: Path) -> None:
    (fleet / "hosts/web1.yaml").write_text(
        """instances: {"$(reboot)": {app: b}, "a;b": {app: b}, "-x y": {app: b}, good: {app: "\\e[2J"}}\n"""
    )
    assert words(fleet, "backup", "run", "") == ["carol"]


def test_every_verb_and_option_is_offered(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(fleet.parent / "root"))
    monkeypatch.chdir(fleet)

    def offered(*line: str) -> list[str]:
        answer(line)
        return [each.partition("\t")[0] for each in capsys.readouterr().out.splitlines()]

    for verb in tree().walk():
        below = verb.words[1:]
        assert offered(*below, "--") == [one.spellings[-1] for one in verb.options]
        if verb.verbs:
            assert offered(*below, "") == [one.words[-1] for one in verb.verbs]


def test_a_second_answer_imports_next_to_nothing(fleet: Path) -> None:
    words(fleet, "backup", "run", "")
    program = (
        "import sys; from gitops.__main__ import main; sys.argv[1:] = ['backup', 'run', '']; main();"
        "print(*sys.modules, file=sys.stderr)"
    )
    asking = {**os.environ, **environment(fleet), "_GITOPS_COMPLETE": "bash"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=asking, cwd=fleet, capture_output=True, text=True, check=True
    )
    assert "alice" in done.stdout
    assert not {"typer", "ruamel.yaml", "rich", "pydantic", "docker"} & set(done.stderr.split())


def test_an_unknown_shell_is_told_the_known_ones() -> None:
    done = subprocess.run([BIN / "gitops", "completion", "bsh"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "there is no completion for bsh\n  did you mean `bash`?\n",
    )
