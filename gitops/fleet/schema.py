"""JSON Schemas of the definitions, for editors; made from the models."""

import json
from pathlib import PurePosixPath
from typing import Any

from gitops.fleet.apps import App
from gitops.fleet.examples import EXAMPLES
from gitops.fleet.hosts import Host
from gitops.fleet.images import Image
from gitops.fleet.settings import Settings
from gitops.fleet.values import Model

MODELS: dict[str, type[Model]] = {"fleet": Settings, "image": Image, "app": App, "host": Host}
"""Each kind of definition, by the word for it."""

PLACE = "schemas"
"""The directory of a fleet that holds them, KIND.json each."""

_KINDS = {"images": "image", "apps": "app", "hosts": "host"}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ABOUT = {"default", "description", "examples", "title"}
_VARIABLE = {"type": "string", "pattern": r"\$"}


def schemas() -> dict[str, dict[str, Any]]:
    """Give the JSON Schema of each kind of definition: fleet, image, app, host."""
    return {kind: {"$schema": _DIALECT, **_schema(kind)} for kind in MODELS}


def schema_files() -> dict[str, str]:
    """Give the text of each schema by its path in a fleet."""
    return {f"{PLACE}/{kind}.json": json.dumps(schema, indent=2) + "\n" for kind, schema in schemas().items()}


def modeline(path: str) -> str:
    """Give the line that tells yaml-language-server, thus editors, which schema a definition has.

    Args:
        path: a file's, in its fleet.

    Returns:
        The line with its end; nothing for a file that is no definition.
    """
    parts = PurePosixPath(path).parts
    if parts == ("fleet.yaml",):
        return f"# yaml-language-server: $schema={PLACE}/fleet.json\n"
    if len(parts) == 2 and parts[0] in _KINDS and path.endswith(".yaml"):  # noqa: PLR2004 - directory and file
        return f"# yaml-language-server: $schema=../{PLACE}/{_KINDS[parts[0]]}.json\n"
    return ""


def _schema(kind: str) -> dict[str, Any]:
    schema = MODELS[kind].model_json_schema(by_alias=True)
    for name, model in [(MODELS[kind].__name__, schema), *schema.get("$defs", {}).items()]:
        for key, examples in EXAMPLES.get(name, {}).items():
            model["properties"][key]["examples"] = examples
    if kind == "app":
        definitions = schema.get("$defs", {})
        schema["$defs"] = {
            name: each if name == "Parameter" else _with_variables(each) for name, each in definitions.items()
        }
    return schema


def _with_variables(schema: dict[str, Any]) -> dict[str, Any]:
    """Let every scalar be a text with a variable in it too, since that is what an app's file has."""
    if schema.get("type") in {"integer", "number", "boolean"} or "pattern" in schema or "enum" in schema:
        about = {key: value for key, value in schema.items() if key in _ABOUT}
        rule = {key: value for key, value in schema.items() if key not in _ABOUT}
        return {**about, "anyOf": [rule, _VARIABLE]}
    changed = dict(schema)
    for key in ("properties", "$defs"):
        if key in schema:
            changed[key] = {name: _with_variables(inner) for name, inner in schema[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            changed[key] = _with_variables(schema[key])
    if "anyOf" in schema:
        changed["anyOf"] = [_with_variables(inner) for inner in schema["anyOf"]]
    return changed
