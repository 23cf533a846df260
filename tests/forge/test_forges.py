"""Connecting: which kinds there are, what is asked for before anything is sent."""

import sys

import pytest

from gitops.fleet.updates import Forge as Settings
from gitops.forge.forges import KINDS, connect
from gitops.system.errors import UserError


def test_every_kind_of_the_settings_but_none_is_there() -> None:
    kinds = Settings.model_json_schema()["properties"]["kind"]["enum"]
    assert set(kinds) - {"none"} == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_token_never_goes_through_the_network_unencrypted(kind: str) -> None:
    with pytest.raises(UserError, match=r"git\.example\.org unencrypted"):
        connect(kind, "http://git.example.org", "team/fleet", "token")


def test_plain_http_is_for_this_machine_alone() -> None:
    for address in ("http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:3000"):
        connect("forgejo", address, "team/fleet", "token")


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(UserError, match="must not hold") as caught:
        connect("github", "https://bot:secret@git.example.org", "team/fleet", "token")
    assert "secret" not in str(caught.value)


def test_without_a_token_it_is_said_where_one_belongs() -> None:
    with pytest.raises(UserError, match="no token") as caught:
        connect("github", "https://github.com", "team/fleet", None)
    assert "GITOPS_FORGE_TOKEN" in str(caught.value)


@pytest.mark.parametrize(("kind", "package"), [("github", "python3-github"), ("gitlab", "python3-gitlab")])
def test_a_library_that_is_missing_is_named_with_its_package(
    kind: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, kind, None)
    monkeypatch.delitem(sys.modules, f"gitops.forge.{kind}", raising=False)
    with pytest.raises(UserError, match=f"no module {kind}") as caught:
        connect(kind, "https://git.example.org", "team/fleet", "token")
    assert f"apt install {package}" in str(caught.value)
