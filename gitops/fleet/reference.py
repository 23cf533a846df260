"""The reference of the definitions, docs/reference.md: `python -m gitops.fleet.reference` makes it."""

import json
import sys
from typing import Any

from gitops.fleet.schema import MODELS

_FILES = {
    "fleet": "fleet.yaml",
    "image": "images/NAME.yaml",
    "app": "apps/NAME.yaml",
    "host": "hosts/NAME.yaml",
}
_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_HEAD = """\
# Fleet reference

Made from the models by `python -m gitops.fleet.reference`; do not edit. `gitops schema` prints the same for
editors.

Durations are written `30s`, `5m`, `1h30m`; sizes `64k`, `512m`, `2g`. A key without a default must be there.
In an app, every value may hold variables: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`,
`${NAME:+replacement}`; `$$` is a plain `$`. The variables are the app's parameters, and `instance`, `host`
and `fleet`.
"""


def reference() -> str:
    """Give docs/reference.md: a table for each kind of definition, and for each thing inside one."""
    parts = [_HEAD]
    told: set[str] = set()
    for kind, model in MODELS.items():
        schema = _without_enums(model.model_json_schema(by_alias=True))
        parts.append(_section(2, f"`{_FILES[kind]}`", schema))
        for name, inner in schema.get("$defs", {}).items():
            if name not in told and "properties" in inner:
                told.add(name)
                parts.append(_section(3, name, inner))
    return "\n".join(parts)


def _without_enums(schema: dict[str, Any]) -> dict[str, Any]:
    """Put what may stand there in the place of a reference to it, where that is only some words."""
    words = {f"#/$defs/{name}": inner for name, inner in schema.get("$defs", {}).items() if "enum" in inner}

    def replaced(value: Any) -> Any:  # noqa: ANN401  # any part of a schema
        if isinstance(value, dict):
            if value.get("$ref") in words:
                return {**words[value["$ref"]], **{key: each for key, each in value.items() if key != "$ref"}}
            return {key: replaced(each) for key, each in value.items()}
        return [replaced(each) for each in value] if isinstance(value, list) else value

    whole: dict[str, Any] = replaced(schema)
    return whole


def _section(level: int, title: str, schema: dict[str, Any]) -> str:
    rows = [
        f"| `{key}` | {_type(each)} | {_default(key, each, schema)} | {each.get('description', '')} |"
        for key, each in schema["properties"].items()
    ]
    about = schema.get("description", "").splitlines()[0]
    table = ["| key | type | default | meaning |", "|---|---|---|---|", *rows]
    return "\n".join([f"{'#' * level} {title}", "", about, "", *table, ""])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        kinds = dict.fromkeys(_type(each) for each in schema["anyOf"] if each.get("type") != "null")
        *others, last = kinds
        return f"{', '.join(others)} or {last}" if others else last
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if schema.get("items") else "list"
    if schema.get("type") == "object":
        patterns = schema.get("patternProperties", {})
        inner = schema.get("additionalProperties") or next(iter(patterns.values()), None)
        return f"mapping of names to {_type(inner)}" if isinstance(inner, dict) else "mapping"
    return _WORDS.get(schema.get("type", ""), "anything")


def _default(key: str, schema: dict[str, Any], owner: dict[str, Any]) -> str:
    if key in owner.get("required", ()):
        return "**needed**"
    default = schema.get("default")
    return "" if default in (None, "", [], {}) else f"`{json.dumps(default)}`"


if __name__ == "__main__":
    sys.stdout.write(reference())
