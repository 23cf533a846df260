"""`gitops backup drill` of a small MariaDB, against restoring and starting it by hand."""

import sys
from pathlib import Path

from docker.api.client import APIClient

from bench.backing import HOST, Backed, backed
from bench.backup_mariadb import DUMP
from bench.figure import Figure, Run, in_turns, run
from gitops.deploy.host import want
from gitops.fleet.load import load
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import request_of
from gitops.system.places import places
from tests.database_fixtures import SERVERS, have_database_image

_FILL = """mariadb -e 'CREATE DATABASE shop; CREATE TABLE shop.t (n INT PRIMARY KEY, text TEXT);
INSERT INTO shop.t SELECT seq, SHA2(seq, 512) FROM mysql.seq_1_to_20000'"""
_BACKUP = (
    "{databases: [{service: one, kind: mariadb, name: shop}],"
    " verify: [{service: one, query: SELECT COUNT(*) FROM t, expect: '20000'}]}"
)
_APP = """\
services:
  one:
    image: server
    command: {command!r}
    volumes: ["data:/var/lib/mysql"]
    healthcheck: {{test: mariadb -e 'SELECT 1', interval: 1s, start_period: 1m}}
backup: {backup}
"""


def measure() -> Figure:
    command = SERVERS["mariadb"]
    with backed(_BACKUP, ("sh", "-c", command), "mariadb -e 'SELECT 1'", volume="/var/lib/mysql") as host:
        host.execute("alice", _FILL)
        image = _define(host, _APP.format(command=command.replace("$", "$$"), backup=_BACKUP))
        try:
            host.back_up()
            host.bare(f"docker exec {host.container('alice')} {DUMP} | restic backup --stdin --quiet")
            ours, bare = in_turns(5, lambda: _drill(host), lambda: host.bare(*_by_hand(host.name, image)))
        finally:
            run("docker", "image", "rm", image)
    return Figure(
        "drill of a small MariaDB",
        "restic dump, docker run and mariadb by hand",
        ours.seconds,
        bare.seconds,
        1.3,
    )


def _define(host: Backed, app: str) -> str:
    """Write the app as it runs, and give the name under which its image now is."""
    root = host.directory / "fleet"
    (root / "apps/shop.yaml").write_text(app)
    (root / "locks").mkdir()
    fleet = load(root)
    architecture = fleet.hosts[HOST].architecture
    lock = Lock("server", architecture, request_of(fleet, "server"), ())
    (root / f"locks/server.{architecture}.lock").write_text(format_lock(lock))
    (reference,) = want(root, HOST, places()).references.values()
    repository, _, tag = reference.rpartition(":")
    api = APIClient(version="auto")
    api.tag(have_database_image(api), repository, tag)
    api.close()
    return reference


def _drill(host: Backed) -> Run:
    words = ("-m", "gitops", "backup", "drill", "alice", "--fleet", host.directory / "fleet")
    return run(sys.executable, *words, env=host.env, cwd=Path(__file__).parents[1])


def _by_hand(name: str, image: str) -> list[str]:
    own = f"{name}.by-hand"
    start = f"docker run --detach --name {own} --network {own} --volume {own}:/var/lib/mysql {image}"
    client = f"docker exec --interactive {own} mariadb"
    count = f"{client} --skip-column-names shop -e 'SELECT COUNT(*) FROM t'"  # noqa: S608  # a constant
    return [
        f"docker network create --internal {own}",
        f"{start} sh -c '{SERVERS['mariadb']}'",
        f"until {client} -e 'SELECT 1' >/dev/null 2>&1; do sleep 0.1; done",
        f"{client} -e 'CREATE DATABASE shop'",
        f"restic dump latest stdin | {client} shop",
        f"[ $({count}) = 20000 ]",
        f"docker rm --force {own}",
        f"docker volume rm {own}",
        f"docker network rm {own}",
    ]
