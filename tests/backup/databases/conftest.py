"""A container for each kind of database, with little room, for as long as the session lasts."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from docker.api.client import APIClient

from gitops.backup.databases import KINDS, Login
from gitops.engine.docker import Docker
from gitops.system.errors import UserError
from tests.backup.databases.subjects import Subject, subject
from tests.database_fixtures import until

_ROOM = "size=300m,mode=1777"
# Their data are in memory, and so made anew when a container starts again.
_START = {
    "mariadb": "mariadb-install-db --user=mysql --skip-test-db >/dev/null; install -d -o mysql /run/mysqld;"
    " exec mariadbd --user=mysql --innodb-buffer-pool-size=32M --innodb-log-file-size=8M",
    "postgresql": "v=$(ls /etc/postgresql); rm -rf /etc/postgresql/$v/main; pg_createcluster --encoding=UTF8"
    " --locale=C.UTF-8 $v main >/dev/null; exec pg_ctlcluster --foreground $v main start",
    "redis": "exec redis-server --dir /var/lib/redis --appendonly yes --save ''",
    "sqlite": "trap 'exit 0' TERM; while :; do sleep 1 & wait; done",
}
_DATA = {"mariadb": "/var/lib/mysql", "postgresql": "/var/lib/postgresql", "redis": "/var/lib/redis"}


@pytest.fixture(scope="session")
def server(api: APIClient, database_image: str) -> Iterator[Callable[[str], str]]:
    """Give the container of a kind; it is made when it is first asked for."""
    made: dict[str, str] = {}

    def give(kind: str) -> str:
        if kind not in made:
            tmpfs = dict.fromkeys({"/data", _DATA.get(kind, "/data")}, _ROOM)
            container = api.create_container(
                database_image,
                ["sh", "-c", _START[kind]],
                name=f"test-{uuid.uuid4().hex[:8]}-{kind}",
                host_config=api.create_host_config(tmpfs=tmpfs, init=False),
            )["Id"]
            made[kind] = container
            api.start(container)
        until(lambda: answers(kind, made[kind]))
        return made[kind]

    yield give
    for container in made.values():
        api.remove_container(container, force=True, v=True)


def answers(kind: str, container: str) -> bool:
    """Tell whether a kind's server is ready."""
    try:
        KINDS[kind].ready(Docker(), container, Login())
    except UserError:
        return False
    return True


@pytest.fixture(params=sorted(KINDS))
def database(request: pytest.FixtureRequest, server: Callable[[str], str]) -> Subject:
    """A database of each kind, one after the other."""
    return subject(request.param, server(request.param))
