"""The reference in docs/ is what the models say."""

from pathlib import Path

from gitops.fleet.reference import reference

DOCUMENT = Path(__file__).parents[2] / "docs/reference.md"


def test_the_reference_is_current() -> None:
    assert DOCUMENT.read_text() == reference(), "run `python -m gitops.fleet.reference > docs/reference.md`"


def test_every_key_has_a_meaning() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert not [row for row in rows if row.endswith("|  |")]
