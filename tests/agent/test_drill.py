"""A drill restores the newest backup beside the real instance, and says no when anything is not as it was."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from docker.api.client import APIClient

from gitops.agent.drill import drill
from gitops.agent.generation import clean_head
from gitops.agent.reconcile import reconcile
from gitops.backup.asked import asked
from gitops.backup.run import back_up
from gitops.backup.sets import MANIFEST, BackupSet, manifest_text
from gitops.backup.vault import open_vault
from gitops.deploy.host import want
from gitops.deploy.swept import abandoned, sweep
from gitops.engine.docker import Docker
from gitops.git.repository import Repository
from gitops.report.history import Run, runs
from gitops.system.errors import UserError
from gitops.system.places import places
from gitops.system.run import run
from tests.agent.conftest import FleetOnDisk
from tests.database_fixtures import SERVERS, until
from tests.engine_fixtures import remove_all
from tests.quick_repository import know_password, make_quick

_COMMANDS = {f"{kind} server": repr(command.replace("$", "$$")) for kind, command in SERVERS.items()}
_APP = """\
rollout: {wait: 500ms}
services:
  db:
    image: server
    command: %(mariadb server)s
    volumes: ["mysql:/var/lib/mysql"]
    healthcheck: {test: mariadb -e 'SELECT 1', interval: 500ms, start_period: 60s}
  pg:
    image: server
    command: %(postgresql server)s
    volumes: ["postgresql:/var/lib/postgresql"]
  cache:
    image: server
    command: %(redis server)s
  web:
    image: server
    command: "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"
    volumes: ["uploads:/srv/uploads", "kept:/srv/kept"]
    ports: ["127.0.0.1::80"]
    depends_on: [db, pg, cache]
    stop_grace_period: 2s
    %(web)s
backup:
  databases:
    - {service: db, kind: mariadb, all: true}
    - {service: pg, kind: postgresql, name: ledger}
    - {service: cache, kind: redis}
    - {service: web, kind: sqlite, name: /srv/uploads/app.db}
    - {service: web, kind: sqlite, name: /srv/kept/app.db}
  volumes: [uploads]
  verify:
    - {service: db, database: shop, query: SELECT COUNT(*) FROM t, expect: "2"}
    - {service: web, command: [cat, /srv/uploads/file], expect: %(expect)s}
"""
_ROWS = "CREATE TABLE t (n INT PRIMARY KEY, d LONGBLOB); INSERT INTO t VALUES (1, x'00ff'), (2, NULL);"
_FORGETFUL = """\
cat >/usr/local/bin/pg_dump <<'END'
#!/bin/sh
exec /usr/bin/pg_dump --exclude-table=t "$@"
END
chmod 755 /usr/local/bin/pg_dump
"""


@dataclass(frozen=True)
class Shop(FleetOnDisk):
    """A host with one instance that has a database of each kind and a volume, and a backup of it."""

    def define(self, *, web: str = "environment: {}", expect: str = "mine") -> None:
        """Commit the app with something else in it."""
        self.write("apps/shop.yaml", _APP % {**_COMMANDS, "web": web, "expect": expect})
        self.lock()
        self.commit()

    @contextmanager
    def defined(self, *, web: str = "environment: {}", expect: str = "mine") -> Iterator[None]:
        """Have something else in the app while the block runs."""
        self.define(web=web, expect=expect)
        try:
            yield
        finally:
            self.define()

    def bring_about(self) -> None:
        """Make the host what git says."""
        git = Repository(self.root)
        reconcile(
            git, clean_head(git), None, self.engine, self.places, build=lambda *_: None, tell=lambda _: None
        )

    def back_up(self) -> BackupSet:
        wanted = want(self.root, None, self.places)
        with open_vault(wanted.fleet, "web1", self.places) as vault:
            instances = [asked(wanted.fleet.instance("web1", "alice"))]
            (made,) = back_up(vault, self.engine, instances, self.places, tell=lambda _: None)
        assert made.complete, made.failed
        return made

    def forget(self, manifest: str) -> None:
        """Forget a backup again."""
        wanted = want(self.root, None, self.places)
        with open_vault(wanted.fleet, "web1", self.places) as vault:
            vault.restic.forget([manifest])
        shutil.rmtree(self.places.cache / "backup")

    def drill(self, tell: Callable[[str], object] = lambda _: None) -> BackupSet:
        wanted = want(self.root, None, self.places)
        with open_vault(wanted.fleet, "web1", self.places) as vault:
            return drill(vault, self.engine, wanted, "alice", self.places, tell=tell)

    def verb(self, *words: str) -> list[str | Path]:
        """Give the command line of `gitops backup drill`."""
        return [sys.executable, "-m", "gitops", "backup", "drill", *words, "--fleet", self.root]

    def execute(self, service: str, script: str, user: str = "root") -> str:
        """Run a script in a container of the real instance, to its good end."""
        command = ["sh", "-c", script]
        with self.engine.exec(f"{self.name}.alice.{service}", command, user=user) as stream:
            output = b"".join(stream)
            assert stream.wait() == 0, stream.stderr
            return output.decode()

    def last(self) -> Run:
        return runs(self.places, kind="drill", instance="alice", limit=1)[0]

    def copies(self) -> list[str]:
        """Name what there is of throw-away instances."""
        own = f"{self.name}.drill"
        containers = [one.name for one in self.engine.containers(own, "web1")]
        return [*containers, *self.engine.networks(own, "web1"), *self.engine.volumes(own, "web1")]


@pytest.fixture(scope="module")
def shop(api: APIClient, database_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The host, its instance running, filled and backed up once."""
    directory = tmp_path_factory.mktemp("shop")
    name = f"test-{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch, Docker() as engine:
        for variable in [one for one in os.environ if one.startswith("GITOPS_")]:
            patch.delenv(variable)
        patch.setenv("GITOPS_ROOT", str(directory / "host"))
        made = Shop(directory / "fleet", name, places(), engine, lambda reference: reference)
        make_quick(directory / "restic")
        know_password(made.places)
        for path, text in {
            "fleet.yaml": f"name: {name}\n"
            "archives: {a: {mirror: 'http://example.org', suites: [trixie]}}\n",
            "images/server.yaml": "from: scratch\narchive: a\n",
            "hosts/web1.yaml": f"backup: {{repository: {directory}/restic}}\n"
            "instances: {alice: {app: shop}}\n",
        }.items():
            made.write(path, text)
        made.git("init", "--quiet", "--initial-branch=main")
        made.git("config", "user.name", "Test")
        made.git("config", "user.email", "test@example.org")
        made.define()
        (reference,) = want(made.root, None, made.places).references.values()
        repository, _, tag = reference.rpartition(":")
        api.tag(database_image, repository, tag)
        try:
            made.bring_about()
            _fill(made)
            made.back_up()
            yield made
        finally:
            sweep(engine, made.places)
            remove_all(api, name)
            api.remove_image(reference)


def _fill(shop: Shop) -> None:
    until(lambda: "1" in shop.execute("db", "mariadb -e 'SELECT 1' || true"))
    shop.execute("db", f'mariadb -e "CREATE DATABASE shop; USE shop; {_ROWS}"')
    shop.execute("db", "mariadb -e \"CREATE USER ada IDENTIFIED BY 'secret'; GRANT SELECT ON shop.* TO ada\"")
    until(lambda: "1" in shop.execute("pg", "psql -c 'SELECT 1' || true", "postgres"))
    shop.execute("pg", "psql -c 'CREATE DATABASE ledger'", "postgres")
    shop.execute(
        "pg", "psql ledger -c 'CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2), (3)'", "postgres"
    )
    until(lambda: "PONG" in shop.execute("cache", "redis-cli ping || true"))
    shop.execute("cache", "redis-cli set key value")
    script = "echo mine >file; chown -R www-data: .; sqlite3 app.db 'CREATE TABLE t (n)'; cp app.db ../kept"
    shop.execute("web", f"cd /srv/uploads; {script}")


def test_a_good_backup_is_proved_whatever_came_since_and_nothing_is_left_nor_touched(shop: Shop) -> None:
    shop.execute("db", "mariadb shop -e 'INSERT INTO t VALUES (3, NULL)'")
    shop.execute("web", "echo theirs >/srv/uploads/file")
    before, told = shop.running(), list[str]()
    newer = shop.back_up()
    wanted = want(shop.root, None, shop.places)
    with open_vault(wanted.fleet, "web1", shop.places) as vault:
        vault.restic.forget([newer.id])
        assert vault.expected("alice") == newer.parts, "it is not what this host would have read ahead"
    try:
        proved = shop.drill(told.append)
        assert shop.execute("web", "cat /srv/uploads/file") == "theirs\n"
        assert shop.execute("db", "mariadb -N shop -e 'SELECT COUNT(*) FROM t'") == "3\n"
    finally:
        shop.execute("db", "mariadb shop -e 'DELETE FROM t WHERE n = 3'")
        shop.execute("web", "echo mine >/srv/uploads/file")
    assert (shop.last().status, shop.last().detail) == (
        0,
        f"backup {proved.short}: 6 databases, 1 volume, 2 questions",
    )
    assert proved.run < newer.run
    assert shop.running() == before
    assert shop.copies() == []
    assert "alice: restoring database pg/ledger" in told


def test_a_wrong_answer_fails_the_drill_and_is_told_in_one_line(shop: Shop) -> None:
    with shop.defined(expect="theirs"):
        done = run(shop.verb("--all"), check=False)
    assert done.status == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("alice: the drill failed: backup ")
    assert "“theirs” by web, which says “mine”" in line
    assert (shop.last().status, shop.last().detail) == (1, line.removeprefix("alice: the drill failed: "))
    assert shop.copies() == []


def test_a_service_that_is_ill_with_what_was_backed_up_fails_the_drill(shop: Shop) -> None:
    shop.execute("web", "touch /srv/uploads/made-later")
    check = "healthcheck: {test: [CMD, test, -e, /srv/uploads/made-later], interval: 300ms, retries: 1}"
    with shop.defined(web=check), pytest.raises(UserError, match="web is unhealthy"):
        shop.drill()
    assert shop.last().status == 1
    assert shop.copies() == []


def test_a_table_that_its_dump_has_lost_fails_the_drill(shop: Shop) -> None:
    shop.execute("pg", _FORGETFUL)
    try:
        made = shop.back_up()
        with pytest.raises(UserError, match=r"database pg/ledger was dumped with .*, and is restored with "):
            shop.drill()
        assert shop.last().detail.startswith(f"backup {made.short}: database pg/ledger")
        shop.forget(made.id)
    finally:
        shop.execute("pg", "rm /usr/local/bin/pg_dump")


def test_a_dump_that_was_exchanged_fails_the_drill(shop: Shop) -> None:
    """Whoever has the password can write a dump of their own and a manifest that names it."""
    wanted = want(shop.root, None, shop.places)
    with open_vault(wanted.fleet, "web1", shop.places) as vault:
        good = vault.choose("alice")
        tags = [*vault.tags, f"run={good.run}"]
        (part,) = (one for one in good.parts if one.dataset.name == "shop")
        changed = b"".join(vault.read(part)).replace(b"0x00FF", b"0x01FF")
        theirs = vault.restic.save_stream([changed], "theirs.sql", tags).snapshot
        false = replace(part, snapshot=theirs, path="/theirs.sql")
        forged = replace(good, parts=tuple(false if one is part else one for one in good.parts))
        manifest = vault.restic.save_stream([manifest_text([forged])], MANIFEST, [*tags, "set"]).snapshot
    shutil.rmtree(shop.places.cache / "backup")
    with pytest.raises(UserError, match=r"database db/shop was dumped with .*, and is restored with "):
        shop.drill()
    shop.forget(manifest)


def test_what_a_killed_drill_has_left_the_next_ticks_remove_also_where_it_comes_later(shop: Shop) -> None:
    with subprocess.Popen(shop.verb("alice"), stdout=subprocess.PIPE) as process:
        until(lambda: any(name.endswith(".drill.alice.db") for name in shop.copies()))
        process.kill()  # mostly before the engine has done with making that container
    assert abandoned(shop.places)
    sweep(shop.engine, shop.places)
    assert shop.copies() == []
    assert abandoned(shop.places), "what is on its way would not be looked for"
