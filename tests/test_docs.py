"""What docs/ and the README show is so: definitions fit their models, commands exist, the site is whole."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from markdown_it import MarkdownIt
from pydantic import BaseModel, TypeAdapter, ValidationError

from gitops.agent.settings import Settings as AgentSettings
from gitops.cli.tree import Verb, tree
from gitops.fleet.apps import Parameter
from gitops.fleet.instances import AppDefinition, filled_with_samples
from gitops.fleet.schema import MODELS
from gitops.fleet.yaml import parse

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
KINDS: dict[str, type[BaseModel]] = {**MODELS, "agent": AgentSettings}
PLACES = {"fleet.yaml": "fleet", "images": "image", "apps": "app", "hosts": "host", "agent.yaml": "agent"}


class Block(NamedTuple):
    """A definition, or a part of one, in a document; `path` where the block says whose it is."""

    document: str
    line: int
    path: str
    text: str


def fenced(document: Path, *languages: str) -> Iterator[tuple[int, str]]:
    """Give the line and the text of each fenced block."""
    for token in MarkdownIt().parse(document.read_text()):
        if token.type == "fence" and token.info.strip() in languages and token.map:
            yield token.map[0] + 1, token.content


def spans(document: Path) -> Iterator[str]:
    """Give what stands as code amid the text, in tables too."""
    for token in MarkdownIt().enable("table").parse(document.read_text()):
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def parts(text: str) -> Iterator[tuple[str, str]]:
    """Give what a block shows: several files side by side, or below each other, each after its name."""
    heads = [found.start() for found in re.finditer(r"# [\w./-]+\.yaml", text.partition("\n")[0])] or [0]
    for left, right in zip(heads, [*heads[1:], None], strict=True):
        column = "\n".join(line[left:right].rstrip() for line in text.splitlines())
        names = re.split(r"(?m)^# ([\w./-]+\.yaml)$", column)
        if names[0].strip():
            yield "", names[0]
        yield from zip(names[1::2], names[2::2], strict=True)


BLOCKS = [
    Block(document.name, line, path, part)
    for document in DOCUMENTS
    for line, text in fenced(document, "yaml")
    for path, part in parts(text)
]


def faults(kind: str, content: dict[str, Any]) -> list[str]:
    """Say what of a part of a definition does not fit; what is not shown need not be there."""
    if kind == "app":
        parameters = TypeAdapter(dict[str, Parameter]).validate_python(content.get("parameters", {}))
        content = filled_with_samples(AppDefinition("shown", Path(), content, parameters))
    try:
        KINDS[kind].model_validate(content)
    except ValidationError as error:
        return [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors()
            if not (one["type"] == "missing" and len(one["loc"]) == 1)
        ]
    return []


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{one.document}:{one.line}:{one.path}" for one in BLOCKS])
def test_every_definition_in_the_docs_fits_its_model(block: Block) -> None:
    content = parse(block.text)
    assert isinstance(content, dict)
    if block.path:
        kinds = [PLACES[block.path.partition("/")[0]]]
    else:
        kinds = [kind for kind, model in KINDS.items() if content.keys() <= model.model_fields.keys()]
    told = {kind: faults(kind, content) for kind in kinds}
    assert [] in told.values(), told


def commands() -> Iterator[tuple[str, str]]:
    """Give each command that a document shows, in a block or amid the text, and where."""
    for document in DOCUMENTS:
        amid = (each for each in spans(document) if re.match("gitops [a-z]", each))
        blocks = (text for _, text in fenced(document, "console", "sh", ""))
        lines = (line for block in blocks for line in block.splitlines())
        typed = (
            found for line in lines for found in re.findall(r"(?:^ *\$? ?|[|;&] )(gitops [a-z].*)", line)
        )
        for one in dict.fromkeys(" ".join(each.split()) for each in (*amid, *typed)):
            yield document.name, one


def verb_of(words: list[str]) -> tuple[Verb, list[str]]:
    """Give the verb that words name, and what follows its name."""
    verb = tree()
    for number, word in enumerate(words):
        below = {one.words[-1]: one for one in verb.verbs}
        if word not in below:
            return verb, words[number:]
        verb = below[word]
    return verb, []


@pytest.mark.parametrize(("document", "command"), sorted(set(commands())))
def test_every_command_in_the_docs_is_one_that_exists(document: str, command: str) -> None:
    words = takewhile(lambda word: word[0] not in "|&;>#" and word != "--", shlex.split(command, posix=False))
    verb, rest = verb_of([word.rstrip(";") for word in words][1:])
    options = {spelling: one for one in verb.options for spelling in one.spellings}
    if document == "commands.md" or rest[:1] == ["…"]:
        assert verb.words != ("gitops",) or rest[:1] == ["[OPTIONS]"]
        return
    count = 0
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            assert name in options, f"{' '.join(verb.words)} has no {name}"
            if options[name].metavar and not equals and rest:
                rest.pop(0)
        elif word not in {"…", "..."}:
            count += 1
    assert not verb.verbs or count == 0, f"there is no {command}"
    assert count <= len(verb.arguments) or any(one.many for one in verb.arguments), (
        f"too many words: {command}"
    )


def test_every_verb_that_a_message_names_is_one_that_exists() -> None:
    groups = {one.words[-1]: {below.words[-1] for below in one.verbs} for one in tree().verbs if one.verbs}
    named = re.compile(rf"\bgitops ({'|'.join(groups)}) ([a-z-]+)")
    for path in (ROOT / "gitops").rglob("*.py"):
        for group, verb in named.findall(path.read_text()):
            assert verb in groups[group], f"{path.name}: there is no gitops {group} {verb}"


def test_every_verb_that_prints_json_has_its_shape_in_the_docs() -> None:
    told = (ROOT / "docs/json.md").read_text()
    for verb in tree().walk():
        if any("--json" in one.spellings for one in verb.options):
            assert f"| `{' '.join(verb.words)}` |" in told


def test_the_site_holds_together_and_asks_nobody_for_anything(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").rglob("*.md")))
    for page in pages:
        asked = re.findall(
            r"<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=\"([^\"]*)\"", page.read_text()
        )
        assert not [one for one in asked if "//" in one], page
    for sheet in tmp_path.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", sheet.read_text()), sheet
