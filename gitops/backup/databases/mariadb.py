"""MariaDB, by its own clients in its own container, as root over the socket: there is no password to pass.

The form of a dump is mariadb-dump(1)'s; its last line, `-- Dump completed on …`, comes when all is dumped.
"""

from collections.abc import Iterable, Iterator, Sequence

from gitops.engine.docker import Docker
from gitops.system.errors import UserError

_DUMP = (
    "mariadb-dump",
    "--single-transaction",
    "--routines",
    "--events",
    "--triggers",
    "--hex-blob",
    "--comments",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
)
# In binary mode the client takes no commands of its own from its input, and leaves line ends and NUL alone.
_CLIENT = (
    "mariadb",
    "--batch",
    "--raw",
    "--skip-column-names",
    "--binary-mode",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
)
_END = b"-- Dump completed"
_TAIL = 4096
_BESIDE = "gitops_restore"

_ITS_CHARACTER_SET = """
SELECT CONCAT('ALTER DATABASE CHARACTER SET ', DEFAULT_CHARACTER_SET_NAME, ' COLLATE ',
    DEFAULT_COLLATION_NAME, ';') FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @real;
"""
_MOVES = """
SELECT CONCAT('DROP DATABASE IF EXISTS `', @real, '`; CREATE DATABASE `', @real, '` CHARACTER SET ',
    DEFAULT_CHARACTER_SET_NAME, ' COLLATE ', DEFAULT_COLLATION_NAME, ';')
    FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @beside;
SELECT CONCAT('DROP TRIGGER `', @beside, '`.`', REPLACE(TRIGGER_NAME, '`', '``'), '`;')
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = @beside;
SELECT CONCAT('RENAME TABLE `', @beside, '`.`', name, '` TO `', @real, '`.`', name, '`;')
    FROM (SELECT REPLACE(TABLE_NAME, '`', '``') AS name FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = @beside AND TABLE_TYPE <> 'VIEW') AS tables;
"""
_VIEWS = "SELECT HEX(TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = @beside;"
_WHOLE = "-- the whole script"
_RUN_WHOLE = f"""script=$(cat)
case $script in
*"{_WHOLE}") printf '%s\\n' "$script" | "$@" ;;
*) echo 'only a part of the script arrived' >&2; exit 1 ;;
esac"""


def dump(engine: Docker, container: str, name: str) -> Iterator[bytes]:
    """Give a database as a stream of SQL that loads into a database of any name.

    Raises:
        UserError: mariadb-dump failed, or did not come to its end.
    """
    # A dump of one database does not say the database's own character set, which new tables take.
    yield _ask(engine, container, _ITS_CHARACTER_SET, name)
    tail = b""
    for chunk in _stream(engine, container, [*_DUMP, "--", name]):
        tail = (tail + chunk)[-_TAIL:]
        yield chunk
    if not (tail.rstrip().splitlines() or [b""])[-1].startswith(_END):
        raise UserError(f"mariadb-dump of {name} reported no error, but its output lacks its end")


def load_beside(engine: Docker, container: str, _name: str, chunks: Iterable[bytes]) -> None:
    """Load a dump into a scratch database.

    Raises:
        UserError: the dump does not load.
    """
    _ask(engine, container, f"DROP DATABASE IF EXISTS {_BESIDE}; CREATE DATABASE {_BESIDE};")
    _collect(engine, container, [*_CLIENT, _BESIDE], chunks)


def swap(engine: Docker, container: str, name: str) -> None:
    """Move the scratch database's content to the real name.

    Tables are renamed, which moves no rows; what cannot be renamed (views, triggers, routines, events) is
    made again. All of it is one script that runs only when it has arrived as a whole, and then runs to its
    end even when gitops does not.

    Raises:
        UserError: the server refused a statement; the scratch database may hold what was not moved yet.
    """
    views = [bytes.fromhex(line.decode()).decode() for line in _ask(engine, container, _VIEWS).split()]
    script = [b"SET FOREIGN_KEY_CHECKS = 0;\n", _ask(engine, container, _MOVES, name)]
    script += [
        f"USE `{name}`;\n".encode(),
        _collect(engine, container, [*_DUMP, "--no-data", "--no-create-info", "--", _BESIDE]),
    ]
    if views:
        only_views = [*_DUMP, "--no-data", "--skip-triggers", "--skip-routines", "--skip-events"]
        script += [_collect(engine, container, [*only_views, "--", _BESIDE, *views])]
    script += [f"\nDROP DATABASE {_BESIDE};\n{_WHOLE}".encode()]
    _collect(engine, container, ["sh", "-c", _RUN_WHOLE, "swap", *_CLIENT], script)


def _ask(engine: Docker, container: str, sql: str, name: str = "") -> bytes:
    # A database's name has no quotes in it: the definition's model sees to that.
    variables = f"SET @real = '{name}', @beside = '{_BESIDE}';"
    return _collect(engine, container, _CLIENT, [variables.encode(), sql.encode()])


def _collect(
    engine: Docker, container: str, command: Sequence[str], stdin: Iterable[bytes] | None = None
) -> bytes:
    return b"".join(_stream(engine, container, command, stdin))


def _stream(
    engine: Docker, container: str, command: Sequence[str], stdin: Iterable[bytes] | None = None
) -> Iterator[bytes]:
    with engine.exec(container, command, user="root", stdin=stdin) as stream:
        yield from stream
        status = stream.wait()
        if status:
            raise UserError(
                f"{command[0]} in {container} ended with exit status {status}",
                hint=stream.stderr.decode(errors="replace").strip(),
            )
