"""Whatever a definition holds, its Dockerfile says that and nothing else."""

import json
import posixpath
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.render.dockerfile import dockerfile
from gitops.system.errors import UserError
from tests.images.fleets import fleet
from tests.render.reader import Instruction, expand, hostile, instructions, one_line

HADOLINT = Path(sys.executable).with_name("hadolint")
words = st.lists(hostile, min_size=1, max_size=4)
paths = one_line.map(
    lambda text: posixpath.normpath("/" + text.replace("..", "").replace("\t", "").strip("/"))
).filter(lambda path: path not in {"/", "//"} and ".." not in path.split("/"))
definitions = st.fixed_dictionaries(
    {"from": st.just("base"), "packages": st.just(["nginx"])},
    optional={
        "environment": st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), one_line),
        "labels": st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), one_line),
        "run": st.lists(words, max_size=3),
        "workdir": paths,
        "volumes": st.lists(paths, unique=True, max_size=3),
        "entrypoint": words,
        "command": words,
        "healthcheck": st.fixed_dictionaries({"test": words.map(lambda found: ["CMD", *found]) | hostile}),
        "user": st.just("www-data:www-data"),
        "expose": st.just([80, "53/udp"]),
        "stop_signal": st.just("SIGQUIT"),
    },
)


def render(definition: dict[str, Any], root: Path = Path("/nonexistent")) -> str:
    archives = {"trixie": {"mirror": "https://deb.example.org/debian", "suites": ["trixie"]}}
    made = fleet(root, archives, {"base": {"from": "scratch", "archive": "trixie"}, "it": definition})
    return dockerfile(made, "it", "amd64", {("base", "amd64"): "f/base:0123"})


def pairs(found: list[Instruction], name: str) -> dict[str, str]:
    split = [each.rest.partition("=") for each in found if each.name == name]
    return {key: expand(value) for key, _, value in split}


def one(found: list[Instruction], name: str) -> str | None:
    return next((each.rest for each in found if each.name == name), None)


@given(definitions)
@settings(max_examples=300, deadline=None)
def test_no_definition_can_inject_an_instruction_or_change_a_value(definition: dict[str, Any]) -> None:
    found = instructions(render(definition))

    def get(key: str, otherwise: Any = None) -> Any:  # noqa: ANN401  # a definition's values are of many types
        return definition.get(key, otherwise)

    expected = ["FROM", "ARG", "RUN", *(["RUN"] if get("run") else [])]
    expected += ["ENV"] * len(get("environment", {})) + ["LABEL"] * len(get("labels", {}))
    expected += ["EXPOSE"] * len(get("expose", []))
    expected += [
        name
        for name, key in (
            ("VOLUME", "volumes"), ("WORKDIR", "workdir"), ("USER", "user"), ("STOPSIGNAL", "stop_signal"),
            ("HEALTHCHECK", "healthcheck"), ("ENTRYPOINT", "entrypoint"), ("CMD", "command"),
        )
        if get(key)
    ]  # fmt: skip
    assert [each.name for each in found] == expected
    assert pairs(found, "ENV") == get("environment", {})
    assert pairs(found, "LABEL") == get("labels", {})
    if get("run"):
        shell, flag, script = json.loads([each.rest for each in found if each.name == "RUN"][1])
        assert (shell, flag) == ("/bin/sh", "-c")
        ran = [
            *(word for command in get("run") for word in (*command, "&&")),
            *("/mnt/install", "settle"),
        ]
        assert shlex.split(script) == ran
    for name, key in (("ENTRYPOINT", "entrypoint"), ("CMD", "command")):
        if get(key):
            assert json.loads(one(found, name) or "") == get(key)
    if get("healthcheck"):
        test = get("healthcheck")["test"]
        command = test[1:] if isinstance(test, list) else ["/bin/sh", "-c", test]
        assert json.loads((one(found, "HEALTHCHECK") or "").removeprefix("CMD ")) == command
    if get("volumes"):
        assert [expand(path) for path in json.loads(one(found, "VOLUME") or "")] == get("volumes")
    if get("workdir"):
        assert expand(one(found, "WORKDIR") or "") == get("workdir")


@given(definitions)
@settings(max_examples=20, deadline=None)
def test_the_same_definition_gives_the_same_bytes(definition: dict[str, Any]) -> None:
    reordered = dict(reversed(definition.items()))
    for key in ("environment", "labels"):
        if key in reordered:
            reordered[key] = dict(reversed(reordered[key].items()))
    assert render(definition) == render(reordered)


def test_hadolint_finds_nothing_in_what_is_rendered() -> None:
    everything = {
        "from": "base",
        "packages": ["nginx"],
        "debconf": ["nginx nginx/question string answer"],
        "copy": [
            {"source": "a", "target": "/etc/a"},
            {"source": "b", "target": "/etc/b", "owner": "www-data"},
        ],
        "run": [["a2enmod", "rewrite"], "cd /tmp && touch x", ["sed", "-i", 's/"$x"/y/', "/etc/a"]],
        "environment": {"A": 'b $c "d" \\'},
        "labels": {"org.opencontainers.image.title": "It's $5"},
        "workdir": "/srv/a b",
        "user": "www-data",
        "volumes": ["/srv/data"],
        "entrypoint": ["tini", "--"],
        "command": "exec nginx",
        "expose": [80],
        "stop_signal": "SIGQUIT",
        "healthcheck": {
            "test": "curl -f http://localhost/ || exit 1",
            "interval": "1.5s",
            "start_period": "1m",
        },
    }
    for definition in (
        {"from": "scratch", "archive": "trixie", "run": [["true"]]},
        {"from": "base"},
        everything,
    ):
        with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as file:
            file.write(render(definition))
            file.flush()
            done = subprocess.run(
                [HADOLINT, "--no-color", file.name], capture_output=True, text=True, check=False
            )
        assert (done.returncode, done.stdout) == (0, ""), done.stdout


@pytest.mark.parametrize("key", ["environment", "labels"])
@pytest.mark.parametrize("value", ["a\nRUN false", "a\rb", "\x00", "\x7f"])
def test_what_a_dockerfile_cannot_express_is_refused_and_says_where(key: str, value: str) -> None:
    with pytest.raises(UserError, match=r"^images/it\.yaml: A holds a line break"):
        render({"from": "base", key: {"A": value}})


def test_a_word_that_no_program_can_be_given_is_refused() -> None:
    for word in ("a\0b", "\ud800"):
        with pytest.raises(UserError, match="no program can be given"):
            render({"from": "base", "run": [["echo", word]]})


def test_a_disabled_healthcheck_takes_the_parents_away() -> None:
    for check in ({"disable": True}, {"test": ["NONE"]}):
        assert one(instructions(render({"from": "base", "healthcheck": check})), "HEALTHCHECK") == "NONE"


def test_a_template_of_the_fleet_cannot_begin_with_a_directive(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/Dockerfile.j2").write_text(
        "# syntax=elsewhere.example.org/frontend\nFROM {{ parent }}\n"
    )
    lines = render({"from": "base"}, tmp_path).splitlines()
    assert lines[0].startswith("# Written by `gitops render`")
    assert lines[2] == "FROM f/base:0123"
