"""A given user with a password from a secret's file; the password shows nowhere else."""

import json
from collections.abc import Callable, Iterator

import pytest
from docker.api.client import APIClient

from gitops.backup.databases import KINDS, Login
from gitops.system.errors import UserError
from tests.backup.databases.subjects import Subject, subject

_PASSWORD = "pa$$ 'wo\"rd\\ é"  # noqa: S105
_FILE = "/data/password"
_USERS = {
    "mariadb": (
        "CREATE OR REPLACE USER saver IDENTIFIED BY 'pa$$ \\'wo\"rd\\\\ é'; GRANT ALL ON *.* TO saver;",
        "DROP USER saver;",
    ),
    "postgresql": (
        "DROP ROLE IF EXISTS saver; CREATE ROLE saver SUPERUSER LOGIN PASSWORD 'pa$$ ''wo\"rd\\ é';",
        "DROP ROLE saver;",
    ),
    "redis": ('ACL SETUSER saver on ">pa$$ \'wo\\"rd\\\\ é" ~* &* +@all', "ACL DELUSER saver"),
}


@pytest.fixture(params=sorted(_USERS))
def with_password(request: pytest.FixtureRequest, server: Callable[[str], str]) -> Iterator[Subject]:
    """A database of each kind that has users, with one more of them."""
    made = subject(request.param, server(request.param))
    make, remove = _USERS[request.param]
    made.fill(50)
    made.ask(make, made.maintenance)
    yield made
    made.ask(remove, made.maintenance)


def _keep(database: Subject, password: str) -> None:
    with database.engine.exec(
        database.container, ["sh", "-c", f"cat >{_FILE}"], user="root", stdin=[password.encode()]
    ) as stream:
        assert stream.wait() == 0


def test_a_user_with_a_password_dumps_and_restores(with_password: Subject) -> None:
    database, login = with_password, Login("saver", _FILE)
    _keep(database, _PASSWORD + "\n")
    kind, where = KINDS[database.kind], (database.engine, database.container, database.name)
    kind.ready(database.engine, database.container, login)
    made = kind.dump(*where, login)
    whole = b"".join(made)
    database.remove_a_row()
    kind.load_beside(*where, [whole], login)
    kind.swap(*where, login)
    assert kind.fingerprint(*where, login) == made.fingerprint
    assert database.rows() == 50


def test_a_wrong_password_is_an_error_everywhere(with_password: Subject) -> None:
    database, login = with_password, Login("saver", _FILE)
    kind, where = KINDS[database.kind], (database.engine, database.container, database.name)
    whole, said = database.dump()
    for password in ("wrong", ""):
        _keep(database, password)
        with pytest.raises(UserError):
            kind.ready(database.engine, database.container, login)
        with pytest.raises(UserError):
            b"".join(kind.dump(*where, login))
        with pytest.raises(UserError):
            kind.load_beside(*where, [whole], login)
    with pytest.raises(UserError, match="gone"):
        kind.ready(database.engine, database.container, Login("saver", "/data/gone"))
    assert database.fingerprint() == said


def test_a_password_is_on_no_command_line_and_in_nothing_that_inspect_shows(
    with_password: Subject, api: APIClient
) -> None:
    database, login = with_password, Login("saver", _FILE)
    database.fill(6000)
    _keep(database, _PASSWORD)
    made = KINDS[database.kind].dump(database.engine, database.container, database.name, login)
    chunks = iter(made)
    while len(next(chunks)) < 1000:
        pass
    lines = database.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert database.tool in lines
    running = api.inspect_container(database.container)["ExecIDs"]
    assert running
    shown = json.dumps([api.exec_inspect(one) for one in running], ensure_ascii=False)
    made.close()
    for place in (lines, shown):
        assert 'wo"rd' not in place
        assert 'wo\\"rd' not in place
