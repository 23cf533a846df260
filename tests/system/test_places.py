"""Where things are kept, and that each place can be moved."""

from pathlib import Path

import pytest

from gitops.system.places import places

VARIABLES = ("ROOT", "CONFIG", "STATE", "CACHE", "RUNTIME", "CRON", "SYSTEMD")


@pytest.fixture(autouse=True)
def _unmoved(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(f"GITOPS_{name}", raising=False)


def test_root_has_the_systems_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    found = places()
    assert (found.config, found.state) == (Path("/etc/gitops"), Path("/var/lib/gitops"))
    assert (found.cache, found.runtime) == (Path("/var/cache/gitops"), Path("/run/gitops"))
    assert (found.cron, found.systemd) == (Path("/etc/cron.d"), Path("/etc/systemd/system"))


def test_anyone_else_has_the_xdg_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert places().cache == tmp_path / "gitops"
    assert places().config == Path.home() / ".config/gitops"


def test_one_variable_moves_all_and_another_moves_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path))
    assert places().state == tmp_path / "var/lib/gitops"
    monkeypatch.setenv("GITOPS_STATE", "elsewhere")
    assert places().state == Path("elsewhere").absolute()
    assert places().cron == tmp_path / "etc/cron.d"
