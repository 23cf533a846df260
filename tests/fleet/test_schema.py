"""The schemas that editors use say what the models say."""

import json
import sys
from pathlib import Path

import pytest

from gitops.fleet.schema import schemas
from gitops.fleet.yaml import parse
from gitops.system.run import run
from tests.fleet.conftest import FILES

KINDS = {
    "fleet": "fleet.yaml",
    "image": "images/site.yaml",
    "app": "apps/blog.yaml",
    "host": "hosts/one.yaml",
}


def check(kind: str, content: object, directory: Path) -> int:
    (directory / "schema.json").write_text(json.dumps(schemas()[kind]))
    (directory / "document.json").write_text(json.dumps(content))
    words: list[str | Path] = [
        Path(sys.executable).with_name("check-jsonschema"),
        "--schemafile",
        directory / "schema.json",
        directory / "document.json",
    ]
    return run(words, check=False).status


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_definition_passes_and_an_unknown_key_does_not(kind: str, tmp_path: Path) -> None:
    content = parse(FILES[KINDS[kind]])
    assert check(kind, content, tmp_path) == 0
    assert check(kind, {**content, "unknwon": 1}, tmp_path) == 1


def test_a_variable_may_stand_where_an_app_has_a_number_but_not_in_a_host(tmp_path: Path) -> None:
    service = {"image": "site", "pids_limit": "${limit}", "healthcheck": {"test": "x", "retries": "${n}"}}
    assert check("app", {"services": {"web": service}}, tmp_path) == 0
    assert check("app", {"services": {"web": {**service, "pids_limit": "many"}}}, tmp_path) == 1
    assert check("host", {"backup": {"repository": "x", "keep": {"daily": "${n}"}}}, tmp_path) == 1
