"""The pipelines are what their forge reads, with the least rights, and run nobody else's code."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from ruamel.yaml import YAML

from gitops.fleet.fleet import Fleet
from gitops.render.pipelines import pipelines

BIN = Path(sys.executable).parent
WORKFLOW = ".github/workflows/gitops.yml"


def parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(text)
    return found


def test_githubs_schema_takes_the_workflow(make_fleet: Callable[..., Fleet], tmp_path: Path) -> None:
    file = tmp_path / "gitops.yml"
    file.write_text(pipelines(make_fleet())[WORKFLOW])
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_job_has_a_time_limit_and_names_its_rights_and_uses_no_action(
    make_fleet: Callable[..., Fleet],
) -> None:
    workflow = parsed(pipelines(make_fleet())[WORKFLOW])
    assert workflow["permissions"] == {}
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    assert rights == {
        "check": {"contents": "read"},
        "build": {"contents": "read"},
        "update": {"contents": "write", "pull-requests": "write", "checks": "read", "statuses": "read"},
    }
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 60
        assert not any("uses" in step for step in job["steps"])


def test_the_scripts_are_sound_and_take_nothing_that_others_write_as_code(
    make_fleet: Callable[..., Fleet],
) -> None:
    workflow = parsed(pipelines(make_fleet())[WORKFLOW])
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step["run"]
            command = [str(BIN / "shellcheck"), "--shell=bash", "--exclude=SC2034", "-"]
            done = subprocess.run(command, input=step["run"], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


def test_no_step_is_given_a_token_but_the_two_that_need_one(make_fleet: Callable[..., Fleet]) -> None:
    workflow = parsed(pipelines(make_fleet())[WORKFLOW])
    steps = [step for job in workflow["jobs"].values() for step in job["steps"] if "env" in step]
    assert {step["run"] for step in steps if "TOKEN" not in step["env"]} == {"gitops update --pull-request"}
    assert [step["env"] for step in steps if "GITOPS_FORGE_TOKEN" in step["env"]] == [
        {"GITOPS_FORGE_TOKEN": "${{ secrets.GITOPS_FORGE_TOKEN || github.token }}"}
    ]
    assert "token" not in str(workflow["env"]).lower()


def test_the_runner_needs_no_program_of_the_forge_s(make_fleet: Callable[..., Fleet]) -> None:
    workflow = parsed(pipelines(make_fleet())[WORKFLOW])
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert not re.search(r"\bgh\b", step["run"])


def test_pipx_reads_what_gitops_is_installed_from(make_fleet: Callable[..., Fleet]) -> None:
    jobs = parsed(pipelines(make_fleet())[WORKFLOW])["jobs"]
    addresses = "https://example.org/gitops-1.0-py3-none-any.whl", "git+https://git.example.org/gitops@v1"
    for name, extras in (("check", set()), ("build", set()), ("update", {"github"})):
        (word,) = re.findall(r'pipx install "(.*?)"', jobs[name]["steps"][1]["run"])
        for address in addresses:
            wanted = Requirement(re.sub(r"\$\{GITOPS_PACKAGE:.*\}", address, word))
            assert (wanted.name, wanted.extras, wanted.url) == ("gitops", extras, address)


def test_no_pipeline_is_written_that_nobody_asked_for(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(
        **{
            "fleet.yaml": "name: shop\n"
            'archives: {trixie: {mirror: "https://deb.example.org/debian", suites: [trixie]}}\n'
        }
    )
    assert pipelines(fleet) == {}


def test_no_word_of_the_template_is_left_unfilled(make_fleet: Callable[..., Fleet]) -> None:
    text = pipelines(make_fleet())[WORKFLOW]
    assert not re.search(r"\{%|\{#|[^$]\{\{", text)
