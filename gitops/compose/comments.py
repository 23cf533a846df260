"""Comments of a Compose file, carried to where the same things stand in an app."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError


def commented(content: dict[str, Any], path: Path, renamed: dict[str, str]) -> CommentedMap:
    """Give content with the comments that a file has at the same keys.

    Args:
        content: an app's, with `services` as in the file.
        path: the Compose file.
        renamed: services that have other names here: ours, theirs.
    """
    try:
        original = YAML().load(path.read_text())
    except (YAMLError, ValueError):  # it was read before; only its comments are lost
        original = None
    return _map(content, original, renamed)


def _map(content: dict[str, Any], original: Any, renamed: dict[str, str]) -> CommentedMap:  # noqa: ANN401 - any YAML
    made = CommentedMap()
    known = original if isinstance(original, CommentedMap) else CommentedMap()
    for key, value in content.items():
        there = renamed.get(key, key)
        inner = known.get(there)
        made[key] = _value(value, inner, renamed if key == "services" else {})
        comment = known.ca.items.get(there)
        if comment and (type(inner) is type(made[key]) or not isinstance(value, dict | list)):
            made.ca.items[key] = comment
    return made


def _value(value: Any, original: Any, renamed: dict[str, str]) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        return _map(value, original, renamed)
    if not isinstance(value, list):
        return value
    made = CommentedSeq([_value(each, None, {}) for each in value])
    if isinstance(original, CommentedSeq) and len(original) == len(value):
        made.ca.items.update(original.ca.items)
    plain = all(isinstance(each, str | int | float) for each in value)
    if plain and not made.ca.items and sum(len(str(each)) + 2 for each in value) < 60:  # noqa: PLR2004 - fits a line
        made.fa.set_flow_style()
    return made
