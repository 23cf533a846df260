"""Reading YAML 1.2: fast where a file is right, with positions where something is wrong with it.

The C parser reads a small file in a fifth of a millisecond but refuses some of what YAML 1.2 allows, such as
`[http://localhost/]`; what it refuses is read again in Python, which is slow and right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # compiled, and not in the package's types
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver

from gitops.system.errors import Problem

At = tuple[str | int, ...]
"""Where something stands in a document: keys and, from 0, indexes."""

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


@dataclass(frozen=True)
class Document:
    """A file that holds a mapping, and where in it each thing stands.

    Args:
        path: the file.
        file: its path as messages have it, from the root of the fleet.
        content: what it says, in dicts, lists and scalars.
    """

    path: Path
    file: str
    content: dict[Any, Any]

    def problem(self, at: At, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """Make a problem of the value at a path of keys and indexes, or of its key.

        Where nothing stands there, the nearest thing around it that exists is to blame.
        """
        line, column = self.position(at, key=key)
        return Problem(self.file, line, column, message, hint)

    def position(self, at: At, *, key: bool = False) -> tuple[int, int]:
        """Give line and column, from 1, of the value or key at a path; (0, 0) if the file has changed."""
        node: Node | None = self._nodes
        found: Node | None = node
        for step in at:
            pair = next((pair for pair in _children(node) if pair[0] == step), None) or _item(node, step)
            if pair is None:
                break
            _, name, node = pair
            found = node
        else:
            if key and at and name is not None:
                found = name
        if found is None:
            return (0, 0)
        return (found.start_mark.line + 1, found.start_mark.column + 1)

    @cached_property
    def _nodes(self) -> Node | None:
        try:
            return _compose(self.path.read_text("utf-8-sig"))
        except (OSError, ValueError, YAMLError, RecursionError):
            return None


def read(path: Path, file: str) -> tuple[Document | None, list[Problem]]:
    """Read one file of definitions.

    Args:
        path: the file.
        file: its path as messages should have it.

    Returns:
        The document, and what is wrong with the file as YAML. A key that stands twice is a problem that still
        leaves a document, so that the rest of the file is looked at too; any other leaves None.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, [Problem(file, message=f"cannot be read: {error.strerror}")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        line, column = _place(before)
        return None, [Problem(file, line, column, "is not UTF-8", "save the file as UTF-8")]
    problems: list[Problem] = []
    try:
        content = _parse(text)
    except DuplicateKeyError:
        problems = [
            Problem(file, mark.line + 1, mark.column + 1, f"`{key}` stands here a second time", "keep one")
            for key, mark in _twice(_compose(text))
        ]
        content = _slowly(text, duplicates=True)
    except (YAMLError, ValueError, RecursionError) as error:
        return None, [_explained(file, text, error)]
    if content is None:
        return None, [Problem(file, 1, 1, "is empty")]
    if not isinstance(content, dict):
        return None, [Problem(file, 1, 1, "is not a mapping; write `key: value` lines")]
    return Document(path, file, content), problems


def _parse(text: str) -> Any:  # noqa: ANN401 - YAML can hold anything
    if len(text) > _LARGEST:
        raise ValueError(f"is larger than {_LARGEST >> 20} MiB")
    if _STEEP.search(text) or _flow_depth(text) > _PARSER_DEPTH:
        raise RecursionError
    if "<<" in text:
        _weigh(_compose(text), {})
    try:
        content = _Loader(text).get_single_data()
    except DuplicateKeyError:
        raise
    except (YAMLError, ValueError):
        content = _slowly(text)
    _bound(content)
    return content


def _slowly(text: str, *, duplicates: bool = False) -> Any:  # noqa: ANN401 - YAML can hold anything
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    yaml.allow_duplicate_keys = duplicates
    return yaml.load(text)


def _compose(text: str) -> Node | None:
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
        weights[id(node)] = 1 + sum(_weigh(value, weights) for _, _, value in _children(node, merge=False))
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


def _children(node: Node | None, *, merge: bool = True) -> Iterator[tuple[str | int, Node | None, Node]]:
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
            yield from _children(mapping)


def _item(node: Node | None, step: str | int) -> tuple[str | int, Node | None, Node] | None:
    """Find `db` in a list `[db]`, or `A` in `[A=1]`, where a list stands for a mapping."""
    if isinstance(node, SequenceNode):
        for value in node.value:
            if isinstance(value, ScalarNode) and re.split("[=:]", value.value)[0] == step:
                return step, value, value
    return None


def _twice(node: Node | None) -> Iterator[tuple[str, Any]]:
    waiting = [node]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        keys: set[tuple[str | None, str]] = set()
        for step, name, value in _children(node, merge=False):
            waiting.append(value)
            if isinstance(name, ScalarNode) and (name.tag, str(step)) in keys:
                yield str(step), name.start_mark
            if isinstance(name, ScalarNode):
                keys.add((name.tag, str(step)))


def _explained(file: str, text: str, error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        return Problem(file, message="is nested too deeply")
    if isinstance(error, ReaderError):
        line, column = _place(text[: error.position])
        return Problem(file, line, column, f"a control character (U+{ord(text[error.position]):04X})")
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        message, hint = _worded(str(error.problem), text, mark.index)
        return Problem(file, mark.line + 1, mark.column + 1, message, hint)
    return Problem(file, message=str(error).splitlines()[0])


def _worded(problem: str, text: str, index: int) -> tuple[str, str]:
    if text[index : index + 1] == "\t" or "'\\t'" in problem:
        return "a tab cannot indent YAML", "use spaces"
    if "could not determine a constructor for the tag" in problem:
        return "YAML tags (`!…`) mean nothing here", "remove the tag, or quote the text"
    if "another document" in problem:
        return "a second document begins here", "one file holds one definition; remove the `---`"
    return f"is not YAML: {problem}", ""


def _place(before: str) -> tuple[int, int]:
    """Give line and column, from 1, of what follows a text."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
