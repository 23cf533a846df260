"""On whose word a machine takes images is decided on the machine."""

from pathlib import Path

import pytest

from gitops.agent.supply import signers_of
from gitops.system.errors import UserError
from gitops.system.places import Places
from tests.images.fleets import places_below


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.delenv("GITOPS_STATEMENT_SIGNERS", raising=False)
    made = places_below(tmp_path)
    made.config.mkdir()
    return made


def test_without_a_list_nobodys_word_counts(places: Places) -> None:
    assert signers_of(places) is None
    (places.config / "agent.yaml").write_text(
        "host: web1\nremotes: ['https://git.example.org/fleet.git']\ntrust: unsigned\n"
    )
    assert signers_of(places) is None


def test_the_nearest_list_counts(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("signers", "statement-signers", "others"):
        (places.config / name).write_text("")
    (places.config / "agent.yaml").write_text(
        "host: web1\nremotes: ['https://git.example.org/fleet.git']\ntrust: {signers: signers}\n"
    )
    assert signers_of(places) == places.config / "statement-signers"
    monkeypatch.setenv("GITOPS_STATEMENT_SIGNERS", str(places.config / "others"))
    assert signers_of(places) == places.config / "others"
    monkeypatch.delenv("GITOPS_STATEMENT_SIGNERS")
    (places.config / "statement-signers").unlink()
    assert signers_of(places) == places.config / "signers"


def test_a_list_that_others_may_change_is_an_error(places: Places) -> None:
    path = places.config / "statement-signers"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(UserError, match="can be changed by others"):
        signers_of(places)
