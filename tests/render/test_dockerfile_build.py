"""What BuildKit makes of a rendered Dockerfile is what the definition says."""

import json
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from docker.api.client import APIClient
from docker.errors import NotFound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops.engine.buildkit import BuildKit, find
from gitops.engine.docker import Docker
from gitops.render.dockerfile import dockerfile
from gitops.system.processes import Processes
from tests.images.fleets import fleet
from tests.render.reader import hostile, one_line
from tests.render.test_dockerfile import paths, words

HOSTILE = [
    *(
        "<<EOF",
        "trailing \\",
        "\\",
        "x\nRUN false\n",
        "# escape=`",
        "${HOME} $HOME $$ \\$HOME",
        '"]',
        "'",
        "%",
        "\\\\\n",
    ),
    *(
        " leading and trailing ",
        "tab\there",
        "é \u2028 \U0001f40b",
        "`id`",
        "$(id)",
        "a=b c=d",
        "",
        "\\n",
        "&& false",
    ),
]
ONE_LINE = [value for value in HOSTILE if "\n" not in value]


@pytest.fixture(scope="module")
def buildkit() -> BuildKit:
    return find()


def built(buildkit: BuildKit, parent: str, definition: dict[str, Any], install: str = "exit 0") -> str:
    """Build an image of a definition on the tiny image; give its id."""
    with tempfile.TemporaryDirectory() as directory:
        context = Path(directory) / "context"
        (context / "debs").mkdir(parents=True)
        archives = {"trixie": {"mirror": "https://deb.example.org/debian", "suites": ["trixie"]}}
        images = {"base": {"from": "scratch", "archive": "trixie"}, "it": {"from": "base", **definition}}
        text = dockerfile(fleet(context, archives, images), "it", "amd64", {("base", "amd64"): parent})
        (context / "Dockerfile").write_text(text)
        (context / "install").write_text(f"#!/bin/sh\n{install}\n")
        (context / "install").chmod(0o755)
        for name in ("debconf", "files.tar"):
            (context / name).touch()
        return buildkit.build(
            context,
            platform="linux/amd64",
            arguments={"SOURCE_DATE_EPOCH": "0"},
            network=False,
            cached=False,
            processes=Processes(),
            told=lambda _line, _steps: None,
        )


def compared(buildkit: BuildKit, identifier: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Hold what `docker inspect` says of an image against its definition; give what it says."""
    told = subprocess.check_output([buildkit.client, "image", "inspect", identifier])
    config: dict[str, Any] = json.loads(told)[0]["Config"]
    variables = dict(each.split("=", 1) for each in config["Env"])
    assert variables.items() >= definition["environment"].items()
    assert variables.keys() - definition["environment"] <= {"PATH"}
    assert config["Labels"] == definition["labels"]
    assert config["Entrypoint"] == definition["entrypoint"]
    assert config["Cmd"] == definition["command"]
    assert config["Healthcheck"]["Test"] == ["CMD", *definition["healthcheck"]["test"][1:]]
    assert config["WorkingDir"] == definition["workdir"]
    assert set(config["Volumes"]) == set(definition["volumes"])
    return config


def test_hostile_values_arrive_as_they_are(api: APIClient, image: str, buildkit: BuildKit) -> None:
    definition = {
        "environment": {f"V{number}": value for number, value in enumerate(ONE_LINE)},
        "labels": {f"l{number}": value for number, value in enumerate(ONE_LINE)},
        "entrypoint": ["run", *HOSTILE],
        "command": HOSTILE,
        "healthcheck": {"test": ["CMD", *HOSTILE], "interval": "1.5s", "timeout": "2m", "retries": 7},
        "workdir": "/srv/a b/$HOME/'quoted\"/\\",
        "volumes": ["/data/$x", "/data/a b", "/data/'\"", "/data/\\n", "/data/<<EOF", "/data/' $x\" \\ "],
        "user": "33:33",
        "expose": ["80", "53/udp"],
        "stop_signal": "SIGQUIT",
        "run": [["sh", "-c", 'printf %s "$1" >"/data/$2"', "sh", v, str(n)] for n, v in enumerate(HOSTILE)],
    }
    identifier = built(buildkit, image, definition)
    try:
        config = compared(buildkit, identifier, definition)
        assert (config["User"], config["StopSignal"]) == ("33:33", "SIGQUIT")
        assert set(config["ExposedPorts"]) == {"80/tcp", "53/udp"}
        check = config["Healthcheck"]
        assert (check["Interval"], check["Timeout"], check["Retries"]) == (1_500_000_000, 120_000_000_000, 7)
        for number, value in enumerate(HOSTILE):
            assert Docker().read_file(identifier, f"/data/{number}").decode() == value
    finally:
        api.remove_image(identifier, force=True)


@given(
    st.fixed_dictionaries(
        {
            "environment": st.lists(one_line, max_size=20).map(
                lambda all_: {f"V{n}": v for n, v in enumerate(all_)}
            ),
            "labels": st.lists(one_line, max_size=20).map(
                lambda all_: {f"l{n}": v for n, v in enumerate(all_)}
            ),
            "entrypoint": words,
            "command": st.lists(hostile, min_size=1, max_size=20),
            "healthcheck": st.fixed_dictionaries({"test": words.map(lambda found: ["CMD", *found])}),
            "workdir": paths,
            "volumes": st.lists(paths, min_size=1, max_size=5, unique=True),
        }
    )
)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_values_arrive_as_they_are(
    api: APIClient, image: str, buildkit: BuildKit, definition: dict[str, Any]
) -> None:
    identifier = built(buildkit, image, definition)
    try:
        compared(buildkit, identifier, {**definition, "labels": definition["labels"] or None})
    finally:
        api.remove_image(identifier, force=True)


def test_what_is_mounted_for_a_step_leaves_no_trace(api: APIClient, image: str, buildkit: BuildKit) -> None:
    definition = {"packages": ["nginx"], "run": [["test", "-x", "/mnt/install"]]}
    identifier = built(buildkit, image, definition, install="test -d /mnt || exit 1")
    container = api.create_container(identifier, ["none"])["Id"]
    try:
        changed = {each["Path"] for each in api.diff(container) or ()}
        assert not {path for path in changed if path.startswith("/mnt/")}
        with suppress(NotFound):  # newer engines take the directory away, too
            stream, _ = api.get_archive(container, "/mnt")
            assert b"mnt/install" not in b"".join(stream)
    finally:
        api.remove_container(container, force=True)
        api.remove_image(identifier, force=True)
