"""The schemas that editors use say what the models say."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from gitops.fleet import schema
from gitops.fleet.examples import EXAMPLES
from gitops.fleet.schema import MODELS, modeline, schema_files, schemas
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


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the model's name, the key and the schema of each key of every definition."""
    for model in MODELS.values():
        whole = model.model_json_schema(by_alias=True)
        for name, each in [(model.__name__, whole), *whole.get("$defs", {}).items()]:
            for key, value in each.get("properties", {}).items():
                yield name, key, value


def explains_itself(value: dict[str, Any]) -> bool:
    """Tell whether a schema says what may be written: words of a list, a number, a mapping of its own."""
    if "anyOf" in value:
        return all(explains_itself(each) for each in value["anyOf"])
    inner = value.get("items") or value.get("additionalProperties")
    if isinstance(inner, dict):
        return explains_itself(inner)
    plain = value.get("type") in {"boolean", "integer", "number", "null"}
    return plain or bool({"$ref", "enum", "const"} & value.keys())


def test_every_key_has_a_description_and_examples_unless_its_values_are_a_list_of_words() -> None:
    assert [f"{name}.{key}" for name, key, value in properties() if not value.get("description")] == []
    bare = {f"{n}.{k}" for n, k, value in properties() if not explains_itself(value)}
    assert sorted(bare - {f"{name}.{key}" for name, keys in EXAMPLES.items() for key in keys}) == []


def models() -> dict[str, type[BaseModel]]:
    """Give every model inside the definitions, by its name."""
    found: dict[str, type[BaseModel]] = {}
    todo: list[Any] = list(MODELS.values())
    while todo:
        each = todo.pop()
        todo += getattr(each, "__args__", ())
        if isinstance(each, type) and issubclass(each, BaseModel) and each.__name__ not in found:
            found[each.__name__] = each
            for field in each.model_fields.values():
                todo += [field.annotation, *getattr(field.annotation, "__args__", ())]
                todo += [
                    arg for one in field.metadata for arg in [getattr(one, "json_schema_input_type", None)]
                ]
    return found


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in EXAMPLES.items() for key in keys])
def test_every_example_may_be_written_where_it_stands(name: str, key: str) -> None:
    fields = models()[name].model_fields
    field = next(each for one, each in fields.items() if key == (each.alias or one))
    whole = TypeAdapter(field.rebuild_annotation())
    for example in EXAMPLES[name][key]:
        whole.validate_python(json.loads(json.dumps(example).replace("${port}", "8001")))


def test_a_definitions_first_line_leads_to_the_schema_of_its_kind(tmp_path: Path) -> None:
    for path, kind in (("fleet.yaml", "fleet"), ("images/a.yaml", "image"), ("hosts/b.yaml", "host")):
        relative = modeline(path).strip().partition("$schema=")[2]
        assert (tmp_path / path).parent.joinpath(relative).resolve() == tmp_path / f"schemas/{kind}.json"
        assert f"schemas/{kind}.json" in schema_files()
    assert modeline("images/a/server.cnf") == modeline("images/a/b.yaml") == modeline("README.md") == ""


def test_write_puts_them_into_the_fleet_and_the_second_time_changes_nothing(tmp_path: Path) -> None:
    words: list[str | Path] = [sys.executable, "-m", "gitops", "schema", "--write", "--fleet", tmp_path]
    without = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (without.returncode, "fleet.yaml" in without.stderr, list(tmp_path.iterdir())) == (1, True, [])
    (tmp_path / "fleet.yaml").touch()
    first = subprocess.run(words, capture_output=True, text=True, check=True)
    assert first.stdout.count(".json") == len(schema_files())
    assert json.loads((tmp_path / schema.PLACE / "app.json").read_text()) == schemas()["app"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == ""
