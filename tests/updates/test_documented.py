"""docs/updates.md says what is so: its examples load, and no key is left out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from gitops.fleet.load import load
from gitops.fleet.updates import Forge, Hold, Ignore, Updates

TEXT = (Path(__file__).parents[2] / "docs/updates.md").read_text()
EXAMPLES = re.findall(r"(?ms)^```yaml\n(.*?)^```$", TEXT)
FLEET = "name: shop\narchives: {trixie: {mirror: 'https://deb.example.org/debian', suites: [trixie]}}\n"


def keys(*models: type[BaseModel]) -> Iterator[str]:
    for model in models:
        yield from model.model_fields


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_taken_as_it_stands(example: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/legacy.yaml").write_text("from: scratch\narchive: trixie\n")
    (tmp_path / "fleet.yaml").write_text(f"{FLEET}{example}")
    assert load(tmp_path).settings.updates.model_fields_set


def test_every_key_stands_in_an_example() -> None:
    shown = set(re.findall(r"\b([a-z]+):", "\n".join(EXAMPLES)))
    assert set(keys(Updates, Forge, Hold, Ignore)) <= shown
