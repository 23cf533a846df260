"""A healthcheck that passes is believed at once, however long the engine waits until it looks."""

from collections.abc import Iterator

import pytest
from docker.api.client import APIClient

from gitops.agent.healthcheck import prove
from gitops.engine.docker import Docker
from gitops.engine.health import Verdict
from gitops.engine.specification import HealthSpec, NetworkSpec
from tests.engine_fixtures import container, remove_all

_HOUR, _MOMENT = 3600 * 10**9, 10**8


@pytest.fixture
def engine(api: APIClient, fleet_name: str) -> Iterator[Docker]:
    with Docker() as made:
        made.ensure_network(
            NetworkSpec(f"{fleet_name}.alice.default", "alice", "default"), fleet_name, "web1"
        )
        yield made
    remove_all(api, fleet_name)


def _proved(engine: Docker, fleet: str, image: str, check: HealthSpec, most: int) -> Verdict:
    """Start a container and prove it; whoever looks more often than so gets an error."""
    spec = container(fleet, "alice/web", image, healthcheck=check)
    engine.create(spec, fleet, "web1", "c0ffee")
    engine.start(spec.name)
    looks = 0

    def pause(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        with engine.exec(spec.name, ["sh", "-c", f"touch /look.{looks}; sleep 0.1"]) as stream:
            assert stream.wait() == 0
        assert looks < most

    return prove(spec, 0, engine, pause)


@pytest.mark.parametrize("kind", ["CMD", "CMD-SHELL"])
def test_it_is_well_when_the_check_passes_long_before_the_engine_looks(
    engine: Docker, fleet_name: str, image: str, kind: str
) -> None:
    test = ("test", "-e", "/look.3") if kind == "CMD" else ("test -e /look.3 && exit 0; exit 1",)
    check = HealthSpec((kind, *test), _HOUR, _HOUR, 3, 0)
    assert _proved(engine, fleet_name, image, check, most=4) == Verdict(well=True, state="")


def test_the_engine_says_when_it_is_ill(engine: Docker, fleet_name: str, image: str) -> None:
    check = HealthSpec(("CMD-SHELL", "echo no table; exit 1"), _MOMENT, _HOUR, 1, 0)
    found = _proved(engine, fleet_name, image, check, most=1000)
    assert (found.well, found.state, found.said) == (False, "unhealthy", "no table")


def test_a_check_that_hangs_is_not_begun_again_and_again(engine: Docker, fleet_name: str, image: str) -> None:
    check = HealthSpec(("CMD-SHELL", "echo begun >>/begun; sleep 7797"), _HOUR, _MOMENT, 1, 0)
    with pytest.raises(AssertionError):
        _proved(engine, fleet_name, image, check, most=6)
    with engine.exec(f"{fleet_name}.alice.web", ["cat", "/begun"]) as stream:
        assert b"".join(stream) == b"begun\n"
