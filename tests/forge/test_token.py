"""Where the token comes from, and that it is never shown."""

from pathlib import Path

import pytest

from gitops.forge.token import read_token
from gitops.system.errors import UserError
from gitops.system.places import Places


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Places of one test's own, with neither variable set."""
    monkeypatch.delenv("GITOPS_FORGE_TOKEN", raising=False)
    monkeypatch.delenv("GITOPS_FORGE_TOKEN_FILE", raising=False)
    return Places(*(tmp_path / name for name in ("config", "state", "cache", "runtime", "cron")))


def keep(places: Places, text: str, mode: int = 0o600) -> Path:
    """Write the token's file."""
    places.config.mkdir(exist_ok=True)
    path = places.config / "forge-token"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_any_there_is_none(own: Places) -> None:
    assert read_token(own) is None


def test_the_variable_comes_before_the_named_file_and_that_before_the_configuration(
    own: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(own, "of-the-configuration\n")
    assert read_token(own) == "of-the-configuration"
    named = tmp_path / "named"
    named.write_text("of-the-file\n")
    monkeypatch.setenv("GITOPS_FORGE_TOKEN_FILE", str(named))
    assert read_token(own) == "of-the-file"
    monkeypatch.setenv("GITOPS_FORGE_TOKEN", "of-the-variable")
    assert read_token(own) == "of-the-variable"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(own: Places, mode: int) -> None:
    path = keep(own, "secret\n", mode)
    with pytest.raises(UserError, match="can be read by others") as caught:
        read_token(own)
    assert f"chmod 600 {path}" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "two words", "one\nsecret", "sécret", "se\x1bcret"])
def test_what_is_no_token_is_refused_and_not_shown(own: Places, text: str) -> None:
    keep(own, text)
    with pytest.raises(UserError, match="holds no token") as caught:
        read_token(own)
    assert "cret" not in str(caught.value)


def test_a_named_file_that_is_not_there_is_told(own: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPS_FORGE_TOKEN_FILE", "/nowhere/token")
    with pytest.raises(UserError, match="No such file") as caught:
        read_token(own)
    assert caught.value.problems[0].file == "/nowhere/token"
