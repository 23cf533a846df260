"""SQLite whose service is not root and has no capability, so that root gets past no file's owner there."""

import uuid
from collections.abc import Iterator

import pytest
from docker.api.client import APIClient

from tests.backup.databases.subjects import Subject, subject
from tests.database_fixtures import IDLE

_ROWS = 50


@pytest.fixture
def database(api: APIClient, database_image: str) -> Iterator[Subject]:
    """A database in a directory that only the service's own user can enter."""
    container = api.create_container(
        database_image,
        list(IDLE),
        name=f"test-{uuid.uuid4().hex[:8]}-sqlite",
        user="daemon",
        # `cap_drop: [ALL]`, and what every container of ours has.
        host_config=api.create_host_config(
            tmpfs={"/data": "size=50m,mode=0700,uid=1,gid=1"},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
        ),
    )["Id"]
    api.start(container)
    yield subject("sqlite", container)
    api.remove_container(container, force=True)


def test_a_database_of_a_service_that_is_not_root_comes_back(database: Subject) -> None:
    database.ask(database.table.format(rows=_ROWS, size=100))
    whole, said = database.dump()
    database.remove_a_row()
    database.load_beside([whole])
    assert database.rows() == _ROWS - 1
    database.swap()
    assert (database.rows(), database.fingerprint()) == (_ROWS, said)


def test_a_database_that_is_gone_is_made_anew_as_the_services_own(database: Subject) -> None:
    database.ask(database.table.format(rows=_ROWS, size=100))
    whole, said = database.dump()
    with database.engine.exec(database.container, ["rm", "-r", "/data/odd file.db"]) as removing:
        assert removing.wait() == 0, removing.stderr
    database.load_beside([whole])
    database.swap()
    assert (database.rows(), database.fingerprint()) == (_ROWS, said)
