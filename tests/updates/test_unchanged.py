"""Nothing to propose is told again without looking, for as long as nothing it follows from has moved."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops.fleet.load import load
from gitops.images.choosing import Chooser
from gitops.images.locks import read_locks
from gitops.system import clock
from gitops.system.errors import UserError
from gitops.system.progress import silent
from gitops.updates.unchanged import remember, still_nothing
from tests.archive import SigningKey, served
from tests.updates.conftest import Scene


def settle(scene: Scene) -> None:
    """Look at every archive once, as a search that finds nothing does, and keep that."""
    fleet = load(scene.root)
    chooser = Chooser(fleet, scene.places)
    asked = [chooser.indexes(*key) for key in read_locks(fleet)]
    remember(scene.root, scene.git("rev-parse", "HEAD"), fleet, asked, scene.places)


def so(scene: Scene) -> bool:
    """Ask the quick way."""
    return still_nothing(scene.root, scene.git("rev-parse", "HEAD"), scene.places, silent) is not None


@pytest.fixture
def settled(scene: Scene) -> Scene:
    """A fleet for which a search has found nothing."""
    assert not so(scene)
    settle(scene)
    scene.archive.requests.clear()
    return scene


@pytest.fixture
def security(settled: Scene, archive_key: SigningKey, tmp_path: Path) -> Iterator[Scene]:
    """The same with a second suite, on another mirror, that is in an archive of its own."""
    with served(tmp_path / "security", archive_key) as other:
        other.add_package("libssl", "3.0-1", suite="trixie-security")
        other.publish("trixie-security")
        settled.settings("trixie", f"{{suite: trixie-security, mirror: '{other.mirror}'}}")
        settled.commit()
        settle(settled)
        settled.archive.requests.clear()
        other.requests.clear()
        yield settled
        assert other.requests == ["304 /dists/trixie-security/InRelease"]


def test_each_suite_is_asked_once_and_only_for_what_is_newer(security: Scene) -> None:
    assert so(security)
    assert security.archive.requests == ["304 /dists/trixie/InRelease"]


def test_the_settings_of_that_commit_are_given_back(scene: Scene) -> None:
    text = (scene.root / "fleet.yaml").read_text()
    (scene.root / "fleet.yaml").write_text(f"{text}updates: {{branch: new, limit: 3}}\n")
    scene.commit()
    settle(scene)
    told = still_nothing(scene.root, scene.git("rev-parse", "HEAD"), scene.places, silent)
    settings = load(scene.root).settings.updates
    assert told is not None
    assert type(settings).model_validate_json(told) == settings


def test_something_newer_is_worked_out(settled: Scene) -> None:
    settled.archive.add_package("nginx", "1.26-2", depends="nginx-common (= 1.26-1)")
    settled.archive.publish()
    assert not so(settled)


def test_another_commit_is_worked_out(settled: Scene) -> None:
    settled.git("commit", "--quiet", "--allow-empty", "--message", "Change")
    assert not so(settled)


def test_another_day_is_worked_out_for_a_hold_may_have_ended(
    settled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(days=1))
    assert not so(settled)


def test_an_archive_that_cannot_be_trusted_is_an_error_the_quick_way_too(
    settled: Scene, stranger_key: SigningKey
) -> None:
    settled.archive.publish(key=stranger_key)
    with pytest.raises(UserError, match="InRelease"):
        so(settled)


def test_a_release_that_has_expired_since_is_an_error(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    scene.archive.publish(date=noon - timedelta(days=1), valid_until=noon + timedelta(hours=1))
    monkeypatch.setattr(clock, "now", lambda: noon)
    # What was seen before is newer, and this would count as taken back in time.
    shutil.rmtree(scene.places.cache / "indexes")
    settle(scene)
    assert so(scene)
    monkeypatch.setattr(clock, "now", lambda: noon + timedelta(hours=2))
    with pytest.raises(UserError, match="expired"):
        so(scene)


def test_a_keyring_in_the_fleet_is_the_one_of_the_commit(scene: Scene, stranger_key: SigningKey) -> None:
    own = scene.root / "keys.gpg"
    own.write_bytes(scene.archive.keyring.read_bytes())
    settings = scene.root / "fleet.yaml"
    settings.write_text(settings.read_text().replace(str(scene.archive.keyring), own.name))
    scene.commit()
    settle(scene)
    assert so(scene)
    own.write_bytes(stranger_key.keyring.read_bytes())
    assert not so(scene)


def test_losing_the_cache_costs_only_time(settled: Scene) -> None:
    for path in (settled.places.cache / "nothing-new").iterdir():
        path.write_text("{")
    assert not so(settled)
    settle(settled)
    assert so(settled)
