"""One database of each kind, really running, that tests fill, spoil and restore."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gitops.backup.databases import KINDS, Kind, Login
from gitops.engine.docker import Docker

ROW = 1024  # bytes


@dataclass(frozen=True)
class Subject:
    """A database with one table (or for Redis, with keys) of rows that do not compress.

    Args:
        kind: its kind's name.
        container: where it runs.
        name: the database's name.
        tool: a word in the command line of what writes its dump.
        create: makes it with `{rows}` rows and nothing else, asked in the database `maintenance`.
        table: fills it, asked in the database itself.
        count: gives its rows.
        change: removes one row.
        data: the directory in which its files are.
    """

    kind: str
    container: str
    name: str
    tool: str
    maintenance: str
    create: str
    table: str
    count: str
    change: str
    data: str
    engine: Docker = field(default_factory=Docker)
    login: Login = field(default_factory=Login)

    @property
    def module(self) -> Kind:
        return KINDS[self.kind]

    def ask(self, query: str, name: str | None = None) -> str:
        return self.module.ask(self.engine, self.container, name or self.name, query, self.login).strip()

    def fill(self, rows: int) -> None:
        self.shell("rm -f /data/* /data/.f*")
        if self.create:
            self.ask(self.create, self.maintenance)
        self.ask(self.table.format(rows=rows, size=ROW))
        assert self.rows() == rows

    def rows(self) -> int:
        return int(self.ask(self.count))

    def remove_a_row(self) -> None:
        self.ask(self.change)

    def exists(self, name: str | None = None) -> bool:
        found = self.name if name is None else name
        return self.module.exists(self.engine, self.container, found, self.login)

    def dump(self) -> tuple[bytes, str]:
        """Give all of a dump, and its fingerprint."""
        made = self.module.dump(self.engine, self.container, self.name, self.login)
        return b"".join(made), made.fingerprint

    def fingerprint(self, name: str | None = None) -> str:
        found = self.name if name is None else name
        return self.module.fingerprint(self.engine, self.container, found, self.login)

    def load_beside(self, chunks: Iterable[bytes]) -> None:
        self.module.load_beside(self.engine, self.container, self.name, chunks, self.login)

    def swap(self) -> None:
        self.module.swap(self.engine, self.container, self.name, self.login)

    def discard(self) -> None:
        self.module.discard(self.engine, self.container, self.name, self.login)

    def shell(self, script: str) -> str:
        """Run a script in the container to its good end and give its output."""
        with self.engine.exec(self.container, ["sh", "-c", script], user="root") as stream:
            output = b"".join(stream)
            assert stream.wait() == 0, stream.stderr
            return output.decode()

    def processes(self, word: str) -> list[str]:
        """List the processes whose command line holds a word, by number."""
        script = (
            "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null"
            f" | grep -q -- '[{word[0]}]{word[1:]}' && echo ${{p#/proc/}}; done; :"
        )
        return self.shell(script).split()

    def left_over(self) -> str:
        """List what restores and dumps must not leave: scratch databases and files."""
        names = {"mariadb": "SHOW DATABASES", "postgresql": "SELECT datname FROM pg_database"}
        known = self.ask(names[self.kind], self.maintenance) if self.kind in names else ""
        files = self.shell(f"find {self.data} /data -name '*gitops*'")
        return "\n".join(line for line in (known + "\n" + files).splitlines() if "gitops" in line)


def subject(kind: str, container: str) -> Subject:
    """Give the subject of a kind."""
    return Subject(kind, container, **_SUBJECTS[kind])


_SUBJECTS: dict[str, dict[str, Any]] = {
    "mariadb": {
        "name": "odd `name` größe",
        "tool": "mariadb-dump",
        "maintenance": "mysql",
        "create": "CREATE OR REPLACE DATABASE `odd ``name`` größe`;",
        "table": "CREATE TABLE t (n INT PRIMARY KEY, d LONGBLOB);"
        " INSERT INTO t SELECT seq, RANDOM_BYTES({size}) FROM mysql.seq_1_to_{rows};",
        "count": "SELECT COUNT(*) FROM t;",
        "change": "DELETE FROM t LIMIT 1;",
        "data": "/var/lib/mysql",
    },
    "postgresql": {
        "name": "odd \"name' größe",
        "tool": "pg_dump",
        "maintenance": "template1",
        "create": 'DROP DATABASE IF EXISTS "odd ""name\' größe" WITH (FORCE);'
        ' CREATE DATABASE "odd ""name\' größe" TEMPLATE template0;',
        "table": "CREATE TABLE t (n int PRIMARY KEY, d bytea); INSERT INTO t SELECT n, (SELECT"
        " string_agg(decode(md5(random()::text || n || i), 'hex'), '')"
        " FROM generate_series(1, {size} / 16) i) FROM generate_series(1, {rows}) n;",
        "count": "SELECT count(*) FROM t;",
        "change": "DELETE FROM t WHERE n = (SELECT min(n) FROM t);",
        "data": "/var/lib/postgresql",
    },
    "redis": {
        "name": "",
        "tool": "redis-cli",
        "maintenance": "",
        "create": "FLUSHALL",
        "table": 'EVAL "math.randomseed(1) for n = 1, {rows} do local d = {{}} for i = 1, {size} do'
        " d[i] = string.char(math.random(0, 255)) end redis.call('set', 'k' .. n, table.concat(d)) end\" 0",
        "count": "DBSIZE",
        "change": "DEL k1",
        "data": "/var/lib/redis",
    },
    "sqlite": {
        "name": "/data/odd file.db",
        "tool": "cat /data/odd",
        "maintenance": "",
        "create": "",
        "table": "PRAGMA journal_mode = wal; CREATE TABLE t (n INTEGER PRIMARY KEY, d BLOB);"
        " INSERT INTO t SELECT value, randomblob({size}) FROM generate_series(1, {rows});",
        "count": "SELECT count(*) FROM t;",
        "change": "DELETE FROM t WHERE n = (SELECT min(n) FROM t);",
        "data": "/data",
    },
}
