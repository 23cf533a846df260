"""Restored to other instances, to servers that have nothing yet, and into volumes that hold a database."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.backup.asked import asked
from gitops.backup.databases import KINDS, Login
from gitops.backup.restore import Wish, restore
from gitops.backup.run import back_up
from gitops.backup.sets import BackupSet
from gitops.backup.vault import Vault, open_vault
from gitops.engine.connection import ask
from gitops.engine.docker import Docker
from gitops.engine.specification import ContainerSpec, MountSpec, NetworkSpec, VolumeSpec
from gitops.fleet.fleet import Fleet, Instance
from gitops.fleet.load import load
from gitops.system.errors import UserError
from gitops.system.places import Places, places
from tests.database_fixtures import SERVERS, until
from tests.engine_fixtures import remove_all
from tests.quick_repository import know_password, make_quick

_HOST = "web1"
_IDLE = "trap 'exit 0' TERM; [ ! -e /data/broken ] || exit 3; while :; do sleep 1 & wait; done"
_NOTES = """
rollout: {wait: 2}
services: {app: {image: server, volumes: ["data:/data"]}}
backup:
  databases: [{service: app, kind: sqlite, name: "/data/$instance.db"}]
  volumes: [data]
"""
_CACHE = """
services: {db: {image: server}}
backup: {databases: [{service: db, kind: redis}]}
"""
_REGISTER = """
services: {db: {image: server}}
backup: {databases: [{service: db, kind: postgresql, all: true}]}
"""
_ALL = "SELECT * FROM t"
_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")


@dataclass(frozen=True)
class Host:
    fleet: Fleet
    engine: Docker
    places: Places
    vault: Vault

    def instance(self, name: str) -> Instance:
        return self.fleet.instance(_HOST, name)

    def container(self, instance: str) -> str:
        service = next(iter(self.instance(instance).definition.services))
        return f"{self.fleet.settings.name}.{instance}.{service}"

    def volume(self, instance: str) -> Path:
        return self.engine.volume_path(f"{self.fleet.settings.name}.{instance}.data")

    def shell(self, instance: str, script: str, user: str = "root") -> str:
        with self.engine.exec(self.container(instance), ["sh", "-c", script], user=user) as stream:
            output = b"".join(stream)
            assert stream.wait() == 0, stream.stderr
            return output.decode()

    def started(self, instance: str) -> str:
        path = f"/containers/{self.container(instance)}/json"
        return str(ask("cannot inspect", path)["State"]["StartedAt"])

    def back_up(self, instance: str) -> BackupSet:
        (made,) = back_up(self.vault, self.engine, [asked(self.instance(instance))], self.places)
        assert made.complete, made.failed
        return made

    def restore(self, wish: Wish) -> list[str]:
        said: list[str] = []
        restore(self.vault, self.engine, wish, self.places, tell=said.append)
        return said


@pytest.fixture(scope="module")
def fleet_name(api: APIClient, database_image: str) -> Iterator[str]:
    """Two instances of a program with SQLite in its volume, a PostgreSQL and a Redis; they all run."""
    fleet, engine = f"test-{uuid.uuid4().hex[:8]}", Docker()
    try:
        for instance, service, command in (
            ("ann", "app", _IDLE),
            ("ben", "app", _IDLE),
            ("clerk", "db", SERVERS["postgresql"]),
            ("dan", "db", SERVERS["redis"]),
        ):
            network, volume = f"{fleet}.{instance}.default", f"{fleet}.{instance}.data"
            engine.ensure_network(NetworkSpec(network, instance, "default"), fleet, _HOST)
            engine.ensure_volume(VolumeSpec(volume, instance, "data"), fleet, _HOST)
            spec = ContainerSpec(
                name=f"{fleet}.{instance}.{service}",
                instance=instance,
                service=service,
                image=database_image,
                image_name="server",
                networks=((network, (service,)),),
                command=("sh", "-c", command),
                volumes=(MountSpec("volume", volume, "/data"),),
                capabilities=_CAPABILITIES,
            )
            engine.create(spec, fleet, _HOST, "c0ffee")
            engine.start(spec.name)
        until(lambda: _answers(engine, "postgresql", f"{fleet}.clerk.db"))
        until(lambda: _answers(engine, "redis", f"{fleet}.dan.db"))
        yield fleet
    finally:
        remove_all(api, fleet)


def _answers(engine: Docker, kind: str, container: str) -> bool:
    try:
        KINDS[kind].ready(engine, container, Login())
    except UserError:
        return False
    return True


@pytest.fixture
def host(fleet_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("GITOPS_ROOT", str(tmp_path / "host"))
    for name, text in {
        "fleet.yaml": f"name: {fleet_name}\n"
        "archives: {here: {mirror: 'http://example.org', suites: [stable]}}\n",
        "images/server.yaml": "from: scratch\narchive: here\n",
        f"hosts/{_HOST}.yaml": f"backup: {{repository: '{tmp_path / 'repository'}'}}\n"
        "instances: {ann: {app: notes}, ben: {app: notes}, clerk: {app: register}, dan: {app: cache}}\n",
        "apps/notes.yaml": _NOTES,
        "apps/register.yaml": _REGISTER,
        "apps/cache.yaml": _CACHE,
    }.items():
        (tmp_path / "fleet" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fleet" / name).write_text(text)
    fleet = load(tmp_path / "fleet")
    make_quick(tmp_path / "repository")
    know_password(places())
    with open_vault(fleet, _HOST, places()) as vault, Docker() as engine:
        made = Host(fleet, engine, places(), vault)
        for name in ("ann", "ben"):
            engine.start(made.container(name))
            made.shell(name, "rm -rf /data/*")
        yield made


def _write(host: Host, instance: str, word: str) -> None:
    script = f"""cd /data; rm -f {instance}.db
    sqlite3 {instance}.db "PRAGMA journal_mode=WAL; CREATE TABLE t AS VALUES ('{word}');"
    chown www-data:www-data {instance}.db; chmod 0660 {instance}.db; echo {word} >file"""
    host.shell(instance, script)


def _read(host: Host, instance: str) -> str:
    script = f"cd /data; sqlite3 {instance}.db '{_ALL}'; cat file; stat -c '%U %a' {instance}.db"
    return host.shell(instance, script)


def test_a_volume_that_holds_a_database_gets_the_dump_of_it(host: Host) -> None:
    _write(host, "ann", "first")
    made = host.back_up("ann")
    assert [str(part.dataset) for part in made.parts] == ["database app//data/ann.db", "volume data"]
    _write(host, "ann", "second")
    host.restore(Wish(host.instance("ann"), made))
    assert _read(host, "ann") == "first\nfirst\nwww-data 660\n"
    assert sorted(path.name for path in host.volume("ann").iterdir()) == ["ann.db", "file"]
    assert [path.name for path in host.volume("ann").parent.iterdir()] == ["_data"]

    (kept,) = host.vault.sets("ann", safety=True)
    host.restore(Wish(host.instance("ann"), kept, safety=False))
    assert _read(host, "ann") == "second\nsecond\nwww-data 660\n"


def test_the_database_alone_is_restored_while_its_service_runs(host: Host) -> None:
    _write(host, "ann", "first")
    made = host.back_up("ann")
    _write(host, "ann", "second")
    before = host.started("ann")
    host.restore(Wish(host.instance("ann"), made, only=("app//data/ann.db",)))
    assert _read(host, "ann") == "first\nsecond\nwww-data 660\n"
    assert host.started("ann") == before


def test_a_change_that_was_refused_before_any_other_leaves_everything_as_it_was(host: Host) -> None:
    _write(host, "ann", "first")
    made = host.back_up("ann")
    _write(host, "ann", "second")
    host.shell("ann", "cd /data; mv ann.db away; mkdir ann.db")
    with pytest.raises(UserError, match=r"unable to open[^$]*ann was not restored and is as it was"):
        host.restore(Wish(host.instance("ann"), made, only=("app//data/ann.db",), safety=False))
    host.shell("ann", "cd /data; rmdir ann.db; mv away ann.db")
    assert _read(host, "ann") == "second\nsecond\nwww-data 660\n"
    assert "gitops" not in host.shell("ann", "ls /data")


def test_another_instance_of_the_app_becomes_what_a_backup_holds_under_its_own_names(host: Host) -> None:
    _write(host, "ann", "of ann")
    _write(host, "ben", "of ben")
    made = host.back_up("ann")
    said = host.restore(Wish(host.instance("ben"), made, source=host.instance("ann")))
    assert _read(host, "ben") == "of ann\nof ann\nwww-data 660\n"
    assert _read(host, "ann") == "of ann\nof ann\nwww-data 660\n"
    assert f"ben: preparing {made.short} of ann; nothing is changed yet" in said
    (kept,) = host.vault.sets("ben", safety=True)
    assert kept.complete
    assert host.vault.sets("ann", safety=True) == []


def test_an_instance_of_another_app_takes_no_backup(host: Host) -> None:
    _write(host, "ann", "first")
    made = host.back_up("ann")
    with pytest.raises(UserError, match="clerk is an instance of register, and ann is one of notes"):
        host.restore(Wish(host.instance("clerk"), made, source=host.instance("ann")))


def test_a_volume_that_somebody_else_uses_is_not_changed_under_their_feet(
    host: Host, api: APIClient, database_image: str
) -> None:
    _write(host, "ann", "first")
    made = host.back_up("ann")
    _write(host, "ann", "second")
    volume = f"{host.fleet.settings.name}.ann.data"
    binds = api.create_host_config(binds=[f"{volume}:/data"], init=True)
    other = api.create_container(database_image, ["sleep", "600"], name=f"{volume}.job", host_config=binds)
    api.start(other)
    try:
        with pytest.raises(UserError, match=r"ann.data.job uses the volume data[^$]*is as it was"):
            host.restore(Wish(host.instance("ann"), made))
    finally:
        api.remove_container(other, force=True)
    assert _read(host, "ann") == "second\nsecond\nwww-data 660\n"


def test_a_service_that_does_not_work_with_what_was_restored_is_told(host: Host) -> None:
    _write(host, "ann", "first")
    host.shell("ann", "touch /data/broken")
    made = host.back_up("ann")
    host.shell("ann", "rm /data/broken")
    with pytest.raises(UserError, match=r"ann is restored, but ann/app is (dying|exited|restarting)"):
        host.restore(Wish(host.instance("ann"), made))
    (host.volume("ann") / "broken").unlink()
    until(lambda: host.engine.prove(host.container("ann"), 1, 10).well)
    assert _read(host, "ann") == "first\nfirst\nwww-data 660\n"


def test_a_server_that_has_nothing_gets_roles_before_the_databases_that_they_own(host: Host) -> None:
    def sql(script: str, database: str = "template1") -> str:
        return KINDS["postgresql"].ask(host.engine, host.container("clerk"), database, script, Login())

    sql("CREATE ROLE odd LOGIN PASSWORD 'secret';")
    sql("CREATE DATABASE register OWNER odd;")
    sql("CREATE TABLE t (n int); ALTER TABLE t OWNER TO odd; INSERT INTO t VALUES (7);", "register")
    sql("DROP DATABASE IF EXISTS postgres;")
    made = host.back_up("clerk")
    sql("DROP DATABASE register;")
    sql("DROP ROLE odd;")
    host.restore(Wish(host.instance("clerk"), made))
    assert sql("SELECT n, tableowner FROM t, pg_tables WHERE tablename = 't';", "register") == "7\todd\n"

    sql("UPDATE t SET n = 8;", "register")
    sql("ALTER ROLE odd NOLOGIN;")
    host.restore(Wish(host.instance("clerk"), made))
    assert sql("SELECT n FROM t;", "register") == "7\n"
    assert sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'odd';") == "t\n"
    left = sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'gitops%';").strip()
    assert left == "0"


def test_the_keys_of_a_redis_come_back_whether_it_has_any_or_not(host: Host) -> None:
    def ask(command: str) -> str:
        return KINDS["redis"].ask(host.engine, host.container("dan"), "", command, Login()).strip()

    ask("MSET a 1 b 2")
    made = host.back_up("dan")
    ask("SET a 3")
    host.restore(Wish(host.instance("dan"), made, only=("db",)))
    assert ask("MGET a b").split() == ["1", "2"]
    (kept,) = host.vault.sets("dan", safety=True)
    ask("FLUSHALL")
    host.restore(Wish(host.instance("dan"), kept))
    assert ask("MGET a b").split() == ["3", "2"]
    assert host.vault.sets("dan", safety=True) == [kept], "there was nothing to keep"
