"""Where a project is, from the address of a remote."""

import pytest

from gitops.forge.location import Location, locate
from gitops.system.errors import UserError


@pytest.mark.parametrize(
    ("url", "address", "project"),
    [
        ("https://github.com/team/fleet.git", "https://github.com", "team/fleet"),
        ("https://github.com/team/fleet/", "https://github.com", "team/fleet"),
        ("https://bot:secret@git.example.org/team/fleet", "https://git.example.org", "team/fleet"),
        ("http://127.0.0.1:3000/team/fleet.git", "http://127.0.0.1:3000", "team/fleet"),
        ("https://git.example.org:8443/a/b/c.git", "https://git.example.org:8443", "a/b/c"),
        ("ssh://git@git.example.org:2222/team/fleet.git", "https://git.example.org", "team/fleet"),
        ("ssh://git@[2001:db8::1]/team/fleet.git", "https://[2001:db8::1]", "team/fleet"),
        ("git@github.com:team/fleet.git", "https://github.com", "team/fleet"),
        ("git.example.org:team/sub/fleet", "https://git.example.org", "team/sub/fleet"),
        ("git@[2001:db8::1]:team/fleet", "https://[2001:db8::1]", "team/fleet"),
        ("ssh://git@ssh.github.com:443/team/fleet.git", "https://github.com", "team/fleet"),
    ],
)
def test_every_way_to_write_a_remote_is_read(url: str, address: str, project: str) -> None:
    assert locate(url) == Location(address, project)


def test_a_forge_below_a_path_is_known_by_its_address() -> None:
    found = Location("https://example.org/git", "team/fleet")
    assert locate("https://example.org/git/team/fleet.git", "https://example.org/git/") == found
    assert locate("git@example.org:team/fleet.git", "https://example.org/git") == found


@pytest.mark.parametrize(
    "url",
    [
        "/srv/git/fleet.git",
        "../fleet",
        "file:///srv/git/fleet.git",
        "https://bot:secret@example.org/fleet.git",
        "https://example.org:port/team/fleet",
        "https:///team/fleet",
        "https://example.org/team/../fl eet",
        "",
    ],
)
def test_what_is_on_no_forge_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UserError) as caught:
        locate(url)
    assert "secret" not in str(caught.value)
    assert "updates.forge.project" in str(caught.value)
