"""Reading YAML 1.2: fast where a text is right, and again, slowly, where the fast parser says it is not.

The C parser reads a small file in a fifth of a millisecond but refuses some of what YAML 1.2 allows, such as
`[http://localhost/]`; what it refuses is read again in Python, which is slow and right.
"""

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # compiled, and not in the package's types
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

_LARGEST = 1 << 20  # bytes
_DEEPEST = 60  # levels; what people write has fewer than ten
_MOST = 100_000  # values, each alias counted as often as it is used
_TOO_MUCH = f"holds more than {_MOST:,} values once its aliases (`*…`) are followed"
_PARSER_DEPTH = 1000  # levels at which the C parser is still far from the end of its stack
_STEEP = re.compile(rf"^[ \t?:-]{{{_PARSER_DEPTH}}}", re.MULTILINE)


class _Constructor(SafeConstructor):
    """YAML's own scalars, except that `2025-01-31` is a text."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


class _Loader(CParser, _Constructor, VersionedResolver):  # type: ignore[misc]  # CParser is compiled
    """What `YAML(typ="safe")` makes anew for every file, made once."""

    processing_version = (1, 2)  # a %YAML line does not turn `no` into false

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        self._parser = self._composer = self
        _Constructor.__init__(self, loader=self)
        VersionedResolver.__init__(self, loadumper=self)


def parse(text: str) -> Any:  # noqa: ANN401 - YAML can hold anything
    """Read a text that holds one document.

    Returns:
        What it holds, in dicts, lists and scalars; a date is a text.

    Raises:
        RecursionError: it is nested too deeply.
        ValueError: it is too large, or becomes so when its aliases are followed; or a scalar makes no sense.
        YAMLError: it is not YAML.
    """
    if len(text) > _LARGEST:
        raise ValueError(f"is larger than {_LARGEST >> 20} MiB")
    if _STEEP.search(text) or _flow_depth(text) > _PARSER_DEPTH:
        raise RecursionError
    if "<<" in text or "merge" in text:
        _weigh(compose(text), {})
    try:
        content = _Loader(text).get_single_data()
    except DuplicateKeyError:
        raise
    except (YAMLError, ValueError):
        return parse_slowly(text)
    _bound(content)
    return content


def parse_slowly(text: str, *, duplicates: bool = False) -> Any:  # noqa: ANN401 - YAML can hold anything
    """Read a text in Python, as `parse` does; with `duplicates` the first of two equal keys counts."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    yaml.allow_duplicate_keys = duplicates
    content = yaml.load(text)
    _bound(content)
    return content


def compose(text: str) -> Node | None:
    """Read a text as nodes, which know where they stand; raises as `parse` does."""
    try:
        node: Node | None = _Loader(text).get_single_node()
    except YAMLError:
        node = YAML(typ="safe", pure=True).compose(text)
    return node


def _flow_depth(text: str) -> int:
    if text.count("[") + text.count("{") <= _PARSER_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _weigh(node: Node | None, weights: dict[int, int]) -> int:
    """Count the keys that merging (`<<`) will bring, before it is done: ten lines can ask for a billion."""
    if not isinstance(node, MappingNode | SequenceNode):
        return 1
    if id(node) not in weights:
        weights[id(node)] = _MOST  # found again inside itself: a mapping merged into itself never ends
        weights[id(node)] = 1 + sum(_weigh(value, weights) for _, _, value in children(node, merge=False))
    if weights[id(node)] >= _MOST:
        raise ValueError(_TOO_MUCH)
    return weights[id(node)]


def _bound(content: object) -> None:
    """Refuse what aliases make larger, or deeper, than anybody can mean."""
    waiting = [(content, 0)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > _DEEPEST:
            raise RecursionError
        if count > _MOST:
            raise ValueError(_TOO_MUCH)
        if isinstance(value, dict):
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)


def children(node: Node | None, *, merge: bool = True) -> Iterator[tuple[str | int, Node | None, Node]]:
    """Give (key or index, the key's node, the value's node) of what stands in a node, merged keys last."""
    if isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield index, None, value
    elif isinstance(node, MappingNode):
        merged: list[Node] = []
        for name, value in node.value:
            if merge and name.tag == "tag:yaml.org,2002:merge":
                merged += value.value if isinstance(value, SequenceNode) else [value]
            else:
                yield name.value if isinstance(name, ScalarNode) else "", name, value
        for mapping in merged:
            yield from children(mapping)


def duplicates_in(node: Node | None) -> Iterator[tuple[str, Any]]:
    """Give each key that stands a second time in its mapping, and the mark where it does."""
    waiting = [node]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        keys: set[tuple[str | None, str]] = set()
        for step, name, value in children(node, merge=False):
            waiting.append(value)
            if isinstance(name, ScalarNode) and (name.tag, str(step)) in keys:
                yield str(step), name.start_mark
            if isinstance(name, ScalarNode):
                keys.add((name.tag, str(step)))
