"""A fleet's own template goes before the one that ships, and can lay out but not act."""

from collections.abc import Callable

import pytest

from gitops.fleet.fleet import Fleet
from gitops.images.locks import read_locks
from gitops.render.recipe import recipe
from gitops.render.render import render
from gitops.system.errors import UserError

Make = Callable[..., Fleet]
WEB = "rendered/images/web.amd64.Dockerfile"


def test_a_fleets_template_is_used_and_changes_every_identity(make_fleet: Make) -> None:
    fleet = make_fleet()
    before = render(fleet, read_locks(fleet))[WEB]
    shipped = recipe(fleet.root)
    (fleet.root / "templates").mkdir()
    own = fleet.root / "templates/Dockerfile.j2"
    own.write_text("FROM {{ parent }}\nLABEL ours=1\n")
    after = render(fleet, read_locks(fleet))[WEB]
    assert "LABEL ours=1" in after
    assert recipe(fleet.root) != shipped
    assert next(line for line in after.splitlines() if "FROM" in line) not in before
    own.unlink()
    assert render(fleet, read_locks(fleet))[WEB] == before


def test_a_template_cannot_run_python(make_fleet: Make) -> None:
    fleet = make_fleet()
    (fleet.root / "templates").mkdir()
    (fleet.root / "templates/Dockerfile.j2").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}\n")
    with pytest.raises(UserError, match="unsafe"):
        render(fleet, read_locks(fleet))


def test_a_template_cannot_be_a_link_out_of_the_fleet(make_fleet: Make) -> None:
    fleet = make_fleet()
    (fleet.root / "templates").mkdir()
    (fleet.root / "templates/Dockerfile.j2").symlink_to("/etc/hostname")
    with pytest.raises(UserError, match="leaves the fleet"):
        render(fleet, read_locks(fleet))


def test_a_mistake_in_a_template_is_told_with_its_line(make_fleet: Make) -> None:
    fleet = make_fleet()
    (fleet.root / "templates").mkdir()
    (fleet.root / "templates/Dockerfile.j2").write_text("FROM {{ parent }}\n{% if %}\n")
    with pytest.raises(UserError, match=r"templates/Dockerfile\.j2:2: "):
        render(fleet, read_locks(fleet))
