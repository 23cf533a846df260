"""PostgreSQL, by its own clients in its own container; without a login as `postgres` over the socket.

A dump is an archive of pg_dump(1) in its custom format, not compressed: restic compresses, and finds again
what has not changed. Users and roles are a script of pg_dumpall(1).
"""

from collections.abc import Generator, Iterable, Iterator
from itertools import chain

from gitops.backup.databases.client import WHOLE, Client
from gitops.backup.databases.kind import ROLES, Dump, is_scratch, scratch_name
from gitops.backup.databases.postgresql_content import BEGIN, COUNT, EXPORT, Content
from gitops.backup.databases.postgresql_script import for_database, literal, quoted, statements
from gitops.backup.databases.script import ScriptDigest, ended
from gitops.backup.login import Login
from gitops.engine.docker import Docker
from gitops.system.errors import UserError

extension = "pgdump"
embedded = False
atomic = True

_MAINTENANCE = "template1"
"""Every server has it; new databases are made of template0, so that nobody minds a connection to this one."""

_MAGIC = b"PGDMP"
_ROLES_END = b"-- PostgreSQL database cluster dump complete"
_HEAD = 1 << 20
_TRIES = 5

_NAMES = """
SELECT encode(convert_to(datname, 'UTF8'), 'hex') FROM pg_database WHERE datallowconn AND NOT datistemplate
ORDER BY datname;
"""
_TABLE_OF_ROLES = "CREATE TABLE roles (place int, statement text);\n"
_ROLE = "INSERT INTO roles VALUES ({place}, {statement});"
_MAKE_ROLES = """
DO $$ DECLARE one text; BEGIN
    FOR one IN SELECT statement FROM roles ORDER BY place LOOP
        BEGIN EXECUTE one; EXCEPTION WHEN duplicate_object THEN NULL; END;
    END LOOP;
END $$;
"""
_THERE = "SELECT 1 FROM pg_database WHERE datname = {name};"
_DISCONNECT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {name};"


def ready(engine: Docker, container: str, login: Login) -> None:
    """Raise UserError unless the server answers."""
    _Server(engine, container, login).sql("SELECT 1;")


def names(engine: Docker, container: str, login: Login) -> list[str]:
    """List the databases that are no templates, and before them the dataset of the server's roles."""
    found = _Server(engine, container, login).sql(_NAMES).split()
    databases = [bytes.fromhex(line).decode() for line in found]
    return [ROLES, *(name for name in databases if not is_scratch(name))]


def exists(engine: Docker, container: str, name: str, login: Login) -> bool:
    """Tell whether there is a database of that name; roles there are always."""
    return name == ROLES or _Server(engine, container, login).has(name)


def beside(name: str) -> str:
    """Give the name of the scratch database."""
    return scratch_name(name)


def dump(engine: Docker, container: str, name: str, login: Login, timeout: float | None = None) -> Dump:
    """Give a database as an archive that pg_restore reads, or the roles as a script for psql."""
    server = _Server(engine, container, login)
    return Dump(_roles(server, timeout) if name == ROLES else _archive(server, name, timeout))


def load_beside(engine: Docker, container: str, name: str, chunks: Iterable[bytes], login: Login) -> None:
    """Load an archive into a scratch database; the statements that make roles wait in a table of one."""
    discard(engine, container, name, login)
    server, beside = _Server(engine, container, login), scratch_name(name)
    if name == ROLES:
        script = b"".join(ended(chunks, _ROLES_END, name)).decode()
        server.sql(f"CREATE DATABASE {beside} TEMPLATE template0;")
        rows = [
            _ROLE.format(place=place, statement=literal(statement))
            for place, statement in enumerate(statements(script))
        ]
        server.sql(_TABLE_OF_ROLES + "\n".join(rows), beside)
        return
    archive = iter(chunks)
    head, script = _definition(server, archive)
    try:
        server.sql("\n".join(for_database(script, beside)))
        server.client.run(
            "pg_restore",
            *server.options,
            f"--dbname={_at(beside)}",
            "--exit-on-error",
            "--no-tablespaces",
            stdin=chain([head], archive),
        )
    except UserError as error:
        if "role " not in str(error) or "does not exist" not in str(error):
            raise
        raise UserError(
            f"{name} cannot be loaded: some of its owners are missing on this server",
            hint=f"back the server up with `all: true`, which has the roles, or make them first: {error}",
        ) from error


def swap(engine: Docker, container: str, name: str, login: Login) -> None:
    """Rename both databases in one transaction; roles are made or changed in one transaction.

    Raises:
        UserError: somebody stays connected to the database, or the server refuses; nothing has changed.
    """
    server, beside = _Server(engine, container, login), scratch_name(name)
    if name == ROLES:
        server.whole(f"{_MAKE_ROLES}\\connect {_MAINTENANCE}\nDROP DATABASE {beside};", beside)
        return
    old = _old(beside)
    renames = [f"ALTER DATABASE {beside} RENAME TO {quoted(name)};"]
    if server.has(name):
        renames = [f"ALTER DATABASE {quoted(name)} RENAME TO {old};", *renames]
    script = [
        f"DROP DATABASE IF EXISTS {old};",
        _DISCONNECT.format(name=literal(name)),
        *("BEGIN;", *renames, "COMMIT;"),
        f"DROP DATABASE IF EXISTS {old};",
    ]
    for attempt in range(1, _TRIES + 1):
        try:
            server.whole("\n".join(script))
        except UserError as error:
            if "is being accessed by other users" not in str(error) or attempt == _TRIES:
                raise
        else:
            return


def discard(engine: Docker, container: str, name: str, login: Login) -> None:
    """Drop the scratch database, and what an interrupted swap left of the old one."""
    beside = scratch_name(name)
    _Server(engine, container, login).sql(
        f"DROP DATABASE IF EXISTS {beside}; DROP DATABASE IF EXISTS {_old(beside)};"
    )


def fingerprint(engine: Docker, container: str, name: str, login: Login) -> str:
    """Count rows and describe tables; of roles, hash the script that makes them."""
    server = _Server(engine, container, login)
    if name != ROLES:
        return str(Content(server.sql(BEGIN + COUNT, name).splitlines()))
    made = Dump(_roles(server, None))
    for _ in made:
        pass
    return made.fingerprint


def ask(engine: Docker, container: str, name: str, query: str, login: Login) -> str:
    """Ask in SQL."""
    return _Server(engine, container, login).sql(query, name)


class _Server:
    """The server of a container, and who connects to it."""

    def __init__(self, engine: Docker, container: str, login: Login) -> None:
        # A password counts for connections over the network only, as Debian sets a server up.
        with_password = bool(login.password_file)
        user = "root" if with_password else "postgres"
        self.client = Client(engine, container, user, "PGPASSWORD", login)
        self.options = [f"--username={login.user}"] * bool(login.user) + ["--host=localhost"] * with_password
        self.options += ["--no-password"]
        self.psql = [*self.options, "-Xqtf-", "--no-align", "--field-separator=\t", "--set=ON_ERROR_STOP=1"]

    def sql(self, script: str, database: str = _MAINTENANCE) -> str:
        """Run statements and give their rows, columns apart by tabs."""
        return self.client.run("psql", *self.psql, _at(database), stdin=[script.encode()]).decode()

    def whole(self, script: str, database: str = _MAINTENANCE) -> None:
        """Run statements, all of them or none, and go on when we are killed."""
        self.client.run_whole("psql", *self.psql, _at(database), script=[f"{script}\n{WHOLE}".encode()])

    def has(self, name: str) -> bool:
        """Tell whether there is a database of that name."""
        return bool(self.sql(_THERE.format(name=literal(name))))


def _archive(server: _Server, name: str, timeout: float | None) -> Generator[bytes, None, str]:
    begin = (BEGIN + EXPORT + COUNT).encode()
    with server.client.session("psql", *server.psql, _at(name), begin=begin) as session:
        # Both see the database as it is at this instant; the session counts while the other dumps.
        options = [f"--dbname={_at(name)}", f"--snapshot={session.first_line()}"]
        options += ["--format=custom", "--compress=0", *server.options]
        head = b""
        for chunk in server.client.stream("pg_dump", *options, timeout=timeout):
            head = head or chunk[: len(_MAGIC)]
            yield chunk
        if head != _MAGIC:
            raise UserError(f"pg_dump of {name} reported no error, but its output is no archive")
        return str(Content(session.rest()))


def _roles(server: _Server, timeout: float | None) -> Generator[bytes, None, str]:
    digest = ScriptDigest("CREATE ROLE ", "roles")
    # Tablespaces are left out: they are directories, which another server does not have.
    script = server.client.stream("pg_dumpall", *server.options, "--roles-only", timeout=timeout)
    yield from digest.passing(ended(script, _ROLES_END, ROLES))
    return str(digest)


def _definition(server: _Server, archive: Iterator[bytes]) -> tuple[bytes, str]:
    """Read as much of an archive as says how its database itself is made; give that much, and the script."""
    # Of what belongs to the database itself no choice of schemas leaves anything out.
    only_itself = ("--create", "--schema-only", "--no-tablespaces", "--schema=", "--file=-")
    head, wanted = b"", _HEAD
    while True:
        for chunk in archive:
            head += chunk
            if len(head) >= wanted:
                break
        try:
            return head, server.client.run("pg_restore", *only_itself, stdin=[head]).decode()
        except UserError:
            if len(head) < wanted:
                raise
            wanted *= 2


def _at(database: str) -> str:
    """Give what connects to a database of any name; libpq, 34.1.1.1, "Keyword/Value Connection Strings"."""
    name = database.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{name}' client_encoding=UTF8"


def _old(beside: str) -> str:
    return f"{beside}_old"
