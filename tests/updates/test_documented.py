"""docs/updates.md says what is so: its examples load, and no key is left out."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from gitops.fleet.load import load
from gitops.fleet.updates import Forge, Hold, Ignore, Updates

TEXT = (Path(__file__).parents[2] / "docs/updates.md").read_text()
EXAMPLES = re.findall(r"(?ms)^```yaml\n(.*?)^```$", TEXT)
FLEET = "name: shop\narchives: {trixie: {mirror: 'https://deb.example.org/debian', suites: [trixie]}}\n"
WIDE = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}


def keys(*models: type[BaseModel]) -> Iterator[str]:
    for model in models:
        yield from model.model_fields


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_taken_as_it_stands(example: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/legacy.yaml").write_text("from: scratch\narchive: trixie\n")
    (tmp_path / "fleet.yaml").write_text(f"{FLEET}{'' if _of_host(example) else example}")
    if _of_host(example):
        (tmp_path / "hosts").mkdir()
        (tmp_path / "hosts/web1.yaml").write_text(example)
    fleet = load(tmp_path)
    said = fleet.hosts["web1"].updates if _of_host(example) else fleet.settings.updates
    assert said
    assert said.model_fields_set


def test_every_key_stands_in_an_example() -> None:
    shown = set(re.findall(r"\b([a-z]+):", "\n".join(EXAMPLES)))
    assert set(keys(Updates, Forge, Hold, Ignore)) <= shown


def _of_host(example: str) -> bool:
    return example.startswith("# hosts/")


def test_every_option_that_is_named_exists_and_every_one_that_exists_is_named() -> None:
    shown = set(re.findall(r"(?:gitops update |`)(--[a-z-]+)", TEXT))
    command = [sys.executable, "-m", "gitops", "update", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **WIDE})
    there = set(re.findall(r"(?<![\w-])--[a-z-]+", told.stdout))
    assert there - {"--help"} == shown
