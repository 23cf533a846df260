"""MariaDB, by its own clients in its own container; without a login as root over the socket.

The form of a dump is mariadb-dump(1)'s; its last line, `-- Dump completed on …`, comes when all is dumped.
MySQL's clients are taken where MariaDB's are missing. Which socket or port they use is up to the container's
environment and option files, as ever.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from itertools import chain
from threading import Thread

from gitops.backup.databases.client import WHOLE, Client
from gitops.backup.databases.kind import ROLES, Dump, is_scratch, scratch_name
from gitops.backup.databases.script import ScriptDigest, ended, replaced
from gitops.backup.login import Login
from gitops.engine.docker import Docker

extension = "sql"
embedded = False
atomic = False

_DUMP = "mariadb-dump mysqldump"
_DUMP_OPTIONS = (
    "--single-transaction",
    "--routines",
    "--events",
    "--triggers",
    "--hex-blob",
    "--comments",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
)
_CLIENT = "mariadb mysql"
# In binary mode the client takes no commands of its own from its input, and leaves line ends and NUL alone.
_CLIENT_OPTIONS = (
    "--batch",
    "--raw",
    "--skip-column-names",
    "--binary-mode",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
)
# With `--insert-ignore` a user that exists gets its password and rights, and is not made anew: not under the
# feet of whoever is connected, root among them.
_ROLES_OPTIONS = ("--system=users", "--insert-ignore", "--comments", "--default-character-set=utf8mb4")
_END = b"-- Dump completed"

_NAMES = """
SELECT HEX(SCHEMA_NAME) FROM information_schema.SCHEMATA
    WHERE SCHEMA_NAME NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
    ORDER BY SCHEMA_NAME;
SELECT 'roles' FROM DUAL WHERE VERSION() LIKE '%MariaDB%';
"""
_EXISTS = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @real;"
_ITS_CHARACTER_SET = """
SELECT CONCAT('ALTER DATABASE CHARACTER SET ', DEFAULT_CHARACTER_SET_NAME, ' COLLATE ',
    DEFAULT_COLLATION_NAME, ';') FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @real;
"""
_MOVES = """
SET @quoted = CONCAT('`', REPLACE(@real, '`', '``'), '`');
SELECT CONCAT('DROP DATABASE IF EXISTS ', @quoted, '; CREATE DATABASE ', @quoted, ' CHARACTER SET ',
    DEFAULT_CHARACTER_SET_NAME, ' COLLATE ', DEFAULT_COLLATION_NAME, ';')
    FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @beside;
SELECT CONCAT('DROP TRIGGER `', @beside, '`.`', REPLACE(TRIGGER_NAME, '`', '``'), '`;')
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = @beside;
SELECT CONCAT('RENAME TABLE `', @beside, '`.`', name, '` TO ', @quoted, '.`', name, '`;')
    FROM (SELECT REPLACE(TABLE_NAME, '`', '``') AS name FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = @beside AND TABLE_TYPE <> 'VIEW') AS tables;
SELECT CONCAT('USE ', @quoted, ';');
"""
_PROGRAMS = """
SELECT 'programs' FROM DUAL
    WHERE EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = @beside)
    OR EXISTS (SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = @beside)
    OR EXISTS (SELECT 1 FROM information_schema.EVENTS WHERE EVENT_SCHEMA = @beside);
SELECT HEX(TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = @beside;
SELECT '=';
"""
_ROLES_TABLE = (
    "CREATE TABLE `roles` (script LONGTEXT) CHARACTER SET utf8mb4; INSERT INTO `roles` VALUES (@script);"
)
_ROLES_SCRIPT = "SELECT script FROM `roles`;"


def ready(engine: Docker, container: str, login: Login) -> None:
    """Raise UserError unless the server answers."""
    _Server(engine, container, login).sql("SELECT 1;")


def names(engine: Docker, container: str, login: Login) -> list[str]:
    """List the databases that are not the server's own, and first the dataset of its users and roles."""
    found = _Server(engine, container, login).sql(_NAMES).decode().split()
    databases = [bytes.fromhex(line).decode() for line in found if line != "roles"]
    # MySQL's dump cannot tell users.
    return [ROLES] * ("roles" in found) + [name for name in databases if not is_scratch(name)]


def exists(engine: Docker, container: str, name: str, login: Login) -> bool:
    """Tell whether there is a database of that name; users and roles there are always."""
    return name == ROLES or bool(_Server(engine, container, login).sql(_EXISTS, real=name))


def beside(name: str) -> str:
    """Give the name of the scratch database."""
    return scratch_name(name)


def dump(engine: Docker, container: str, name: str, login: Login, timeout: float | None = None) -> Dump:
    """Give a database as a stream of SQL that loads into a database of any name."""
    return Dump(_dumped(_Server(engine, container, login), name, timeout))


def load_beside(engine: Docker, container: str, name: str, chunks: Iterable[bytes], login: Login) -> None:
    """Load a dump into a scratch database; the script of users and roles waits in a table of one."""
    server, beside = _Server(engine, container, login), scratch_name(name)
    anew = f"DROP DATABASE IF EXISTS `{beside}`; CREATE DATABASE `{beside}`; USE `{beside}`;\n"
    whole = ended(chunks, _END, name)
    if name == ROLES:
        server.sql(anew + _ROLES_TABLE, script=b"".join(whole).decode())
    else:
        script = chain([anew.encode()], whole)
        server.client.run(_CLIENT, *server.options, *_CLIENT_OPTIONS, stdin=script)


def swap(engine: Docker, container: str, name: str, login: Login) -> None:
    """Move the scratch database's content to the real name.

    Tables are renamed, which moves no rows; what cannot be renamed (views, triggers, routines, events) is
    made again. All of it is one script that runs only when it has arrived as a whole, and then runs to its
    end even when gitops does not.

    Raises:
        UserError: the server refused a statement; the scratch database may hold what was not moved yet.
    """
    server, beside = _Server(engine, container, login), scratch_name(name)
    script = [server.sql(_ROLES_SCRIPT, beside)] if name == ROLES else _change_over(server, name, beside)
    script += [f"\nDROP DATABASE `{beside}`;\n{WHOLE}".encode()]
    server.client.run_whole(_CLIENT, *server.options, *_CLIENT_OPTIONS, script=script)


def discard(engine: Docker, container: str, name: str, login: Login) -> None:
    """Drop the scratch database."""
    _Server(engine, container, login).sql(f"DROP DATABASE IF EXISTS `{scratch_name(name)}`;")


def fingerprint(engine: Docker, container: str, name: str, login: Login) -> str:
    """Count and hash the statements of a fresh dump."""
    made = dump(engine, container, name, login)
    for _ in made:
        pass
    return made.fingerprint


def ask(engine: Docker, container: str, name: str, query: str, login: Login) -> str:
    """Ask in SQL."""
    return _Server(engine, container, login).sql(query, name).decode(errors="replace")


class _Server:
    """The server of a container, and who connects to it."""

    def __init__(self, engine: Docker, container: str, login: Login) -> None:
        self.client = Client(engine, container, "root", "MYSQL_PWD", login)
        self.options = (f"--user={login.user}",) if login.user else ()

    def sql(self, statements: str, database: str = "", **variables: str) -> bytes:
        """Run statements, in a database or in none, and give their rows; `@NAME` is a variable."""
        values = [
            f"SET @{key} = CONVERT(X'{value.encode().hex()}' USING utf8mb4);"
            for key, value in variables.items()
        ]
        place = ("--", database) if database else ()
        stdin = ["".join(values).encode(), statements.encode()]
        return self.client.run(_CLIENT, *self.options, *_CLIENT_OPTIONS, *place, stdin=stdin)

    def dump(self, *args: str, timeout: float | None = None) -> Iterator[bytes]:
        """Give the output of mariadb-dump."""
        return self.client.stream(_DUMP, *self.options, *args, timeout=timeout)

    def database(
        self, name: str, *args: str, tables: Iterable[str] = (), timeout: float | None = None
    ) -> Iterator[bytes]:
        """Give the output of mariadb-dump for a database, which can be loaded into one of any name.

        Around what was made under another character set than the database has now, mariadb-dump changes that
        of the database, which it names: the real one would change while a copy is loaded beside it.
        """
        script = self.dump(*_DUMP_OPTIONS, *args, "--", name, *tables, timeout=timeout)
        quoted = name.replace("`", "``").encode()
        return replaced(script, b"\nALTER DATABASE `%b` CHARACTER" % quoted, b"\nALTER DATABASE CHARACTER")


def _dumped(server: _Server, name: str, timeout: float | None) -> Generator[bytes, None, str]:
    if name == ROLES:
        # The right to be a proxy for nobody, which superusers have, is doubled by loading it.
        digest = ScriptDigest("CREATE ", "users and roles", but="GRANT PROXY ON")
        script = server.dump(*_ROLES_OPTIONS, timeout=timeout)
    else:
        digest = ScriptDigest("CREATE TABLE ", "tables")
        # A dump of one database does not say the database's own character set, which new tables take.
        its_own = _meanwhile(lambda: server.sql(_ITS_CHARACTER_SET, real=name))
        script = server.database(name, timeout=timeout)
        begun = next(script, b"")
        yield from digest.passing([its_own.result()])
        script = chain([begun], script)
    yield from digest.passing(ended(script, _END, name))
    return str(digest)


def _meanwhile(call: Callable[[], bytes]) -> Future[bytes]:
    """Begin a call; it dies with us, since a server may not answer, and Ctrl-C must not wait for that."""
    found: Future[bytes] = Future()

    def work() -> None:
        try:
            found.set_result(call())
        except BaseException as error:  # noqa: BLE001  # raised again where the result is wanted
            found.set_exception(error)

    Thread(target=work, daemon=True).start()
    return found


def _change_over(server: _Server, name: str, beside: str) -> list[bytes]:
    """Give the statements that bring the scratch database's content to the real name."""
    head, _, moves = server.sql(_PROGRAMS + _MOVES, real=name, beside=beside).partition(b"=\n")
    lines = head.decode().split()
    views = [bytes.fromhex(line).decode() for line in lines if line != "programs"]
    script = [b"SET FOREIGN_KEY_CHECKS = 0;\n", moves]
    if "programs" in lines:
        script += server.database(beside, "--no-data", "--no-create-info")
    if views:
        only_views = ("--no-data", "--skip-triggers", "--skip-routines", "--skip-events")
        script += server.database(beside, *only_views, tables=views)
    return script
