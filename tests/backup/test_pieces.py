"""What is restored where, as people name it; pure."""

import pytest

from gitops.backup.pieces import Piece, renamed, selected, standing_still
from gitops.backup.sets import VOLUME, Dataset, Part
from gitops.fleet.apps import App
from gitops.fleet.fleet import Instance
from gitops.system.errors import UserError

_SHOP = Dataset("mariadb", "db", "shop")
_CACHE = Dataset("redis", "cache", "")
_UPLOADS = Dataset(VOLUME, "", "uploads")
_PARTS = [Part(one, "0" * 64, "/x", 1, "") for one in (_SHOP, _CACHE, _UPLOADS)]


def _instance(name: str, database: str = "shop") -> Instance:
    app = {
        "services": {
            "db": {"image": "server", "volumes": ["data:/var/lib/mysql"]},
            "cache": {"image": "server"},
            "web": {"image": "server", "volumes": ["uploads:/srv"], "depends_on": ["db"]},
            "admin": {"image": "server", "depends_on": ["web"]},
        },
        "backup": {
            "databases": [
                {"service": "db", "kind": "mariadb", "name": database},
                {"service": "cache", "kind": "redis"},
            ],
            "volumes": ["uploads"],
        },
    }
    return Instance(name, "web1", "shop", App.model_validate(app))


def _datasets(*only: str) -> list[Dataset]:
    return [one.dataset for one in selected(_PARTS, only)]


def test_everything_is_meant_where_nothing_is_named() -> None:
    assert _datasets() == [_SHOP, _CACHE, _UPLOADS]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("db/shop", _SHOP),
        ("database db/shop", _SHOP),
        ("cache", _CACHE),
        ("volume/uploads", _UPLOADS),
        ("volume uploads", _UPLOADS),
    ],
)
def test_a_dataset_is_named_as_it_is_listed_or_shorter(said: str, meant: Dataset) -> None:
    assert _datasets(said) == [meant]


def test_what_is_unknown_is_told_with_what_there_is() -> None:
    with pytest.raises(UserError, match="nothing called db, uploads") as caught:
        selected(_PARTS, ["db", "cache", "uploads"])
    assert "there are: db/shop, cache, volume/uploads" in str(caught.value)


def test_another_instance_may_call_its_database_otherwise() -> None:
    ours, theirs = _instance("alice"), _instance("bob", "shop_bob")
    assert renamed(_SHOP, ours, theirs) == Dataset("mariadb", "db", "shop_bob")
    for one in (_CACHE, _UPLOADS, Dataset("mariadb", "db", "other")):
        assert renamed(one, ours, theirs) == one


def _still(*pieces: Piece) -> list[str]:
    return [name.rpartition(".")[2] for name in standing_still("fleet", _instance("alice"), pieces)]


def test_all_services_but_databases_stand_still_for_a_database_and_a_volumes_users_for_that() -> None:
    database = Piece(_SHOP, _PARTS[0], container="fleet.alice.db")
    volume = Piece(_UPLOADS, _PARTS[2], directory="/volumes/uploads")
    assert _still(database) == ["web", "admin"]
    assert _still(volume) == ["web"]
    assert _still(volume, database) == ["web", "admin"]
