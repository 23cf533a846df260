"""A file of definitions: what it says, where in it each thing stands, and what is wrong with it as YAML."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from gitops.fleet.yaml import children, compose, duplicates_in, parse, parse_slowly
from gitops.system.errors import Problem

At = tuple[str | int, ...]
"""Where something stands in a document: keys and, from 0, indexes."""


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
            pair = next((pair for pair in children(node) if pair[0] == step), None) or _item(node, step)
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
            return compose(self.path.read_text("utf-8-sig"))
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
    try:
        content, problems = _parsed(file, text)
    except (YAMLError, ValueError, RecursionError) as error:
        return None, [_explained(file, text, error)]
    if content is None:
        return None, [Problem(file, 1, 1, "is empty")]
    if not isinstance(content, dict):
        return None, [Problem(file, 1, 1, "is not a mapping; write `key: value` lines")]
    return Document(path, file, content), problems


def _parsed(file: str, text: str) -> tuple[Any, list[Problem]]:
    try:
        return parse(text), []
    except DuplicateKeyError:
        problems = [
            Problem(file, mark.line + 1, mark.column + 1, f"`{key}` stands here a second time", "keep one")
            for key, mark in duplicates_in(compose(text))
        ]
        return parse_slowly(text, duplicates=True), problems


def _item(node: Node | None, step: str | int) -> tuple[str | int, Node | None, Node] | None:
    """Find `db` in a list `[db]`, or `A` in `[A=1]`, where a list stands for a mapping."""
    if isinstance(node, SequenceNode):
        for value in node.value:
            if isinstance(value, ScalarNode) and re.split("[=:]", value.value)[0] == step:
                return step, value, value
    return None


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
