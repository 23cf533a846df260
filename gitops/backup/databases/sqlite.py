"""SQLite, by sqlite3(1) in the container; the name of a database is its file's path, and there is no login.

A dump is a database file: an online backup (https://www.sqlite.org/backup.html) that reads in one
transaction, so that it is of one instant and never begins anew, however much is written meanwhile. With a
rollback journal writers wait for it; with write-ahead logging they do not. It is made beside the database,
where there is room for one.
"""

import hashlib
import struct
from collections.abc import Generator, Iterable

from gitops.backup.databases.client import Client
from gitops.backup.databases.kind import Dump
from gitops.backup.login import Login
from gitops.engine.docker import Docker
from gitops.system.errors import UserError

extension = "sqlite"
embedded = True
atomic = True

_WAIT = 60_000
"""Milliseconds to wait for others' locks."""

_SQLITE = rf"""
sqlite() {{ sqlite3 -batch -bail -noheader -cmd '.timeout {_WAIT}' "$@"; }}"""
_READ = "BEGIN; SELECT count(*) FROM sqlite_schema;"
_COPY = f"""{_SQLITE}
copy=$1.gitops-backup
umask 077
trap 'rm -f "$copy" "$copy-journal"' EXIT
trap 'exit 1' HUP INT TERM
[ -f "$1" ] || {{ echo "$1: there is no such file" >&2; exit 1; }}
rm -f "$copy" "$copy-journal"
sqlite "$1" '{_READ}' ".backup '$copy'" >/dev/null || exit
cat "$copy"
"""
_LOAD = f"""{_SQLITE}
beside=$1.gitops-restore
umask 077
rm -f "$beside" "$beside.part"*
cat >"$beside.part" || exit
[ "$(sqlite "$beside.part" 'PRAGMA integrity_check')" = ok ] || {{
    echo "what came to $beside fails its integrity check" >&2; exit 1
}}
mv "$beside.part" "$beside"
"""
# Restored into the file that is there, page by page in one transaction: whoever has it open sees the new
# content next, and whatever dies leaves the old or the new. A new file of root's gets its directory's owner.
_SWAP = f"""{_SQLITE}
real=$1 beside=$1.gitops-restore
[ -f "$beside" ] || {{ echo "$beside: there is no such file" >&2; exit 1; }}
if [ ! -e "$real" ]; then
    umask 007
    : >"$real" || exit
    [ "$(id -u)" != 0 ] || chown --reference="$(dirname -- "$real")" -- "$real" || exit
fi
sqlite "$real" ".restore '$beside'" && rm -f "$beside" "$beside-journal" "$beside-wal" "$beside-shm"
"""
_DISCARD = r"""
for one in gitops-restore gitops-restore.part gitops-backup; do
    rm -f "$1.$one" "$1.$one-journal" "$1.$one-wal" "$1.$one-shm"
done
"""

# https://www.sqlite.org/fileformat.html, 1.3, "The Database Header": what a copy has of its own.
_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_PAGE_SIZE, _PAGES = struct.Struct(">16xH"), struct.Struct(">28xI")
_OF_THE_COPY = (slice(18, 20), slice(24, 28), slice(40, 44), slice(92, 100))
"""Journal mode, change counter, schema cookie, and which version of the library wrote when."""


def ready(engine: Docker, container: str, login: Login) -> None:
    """Raise UserError unless SQLite's program is there; a file answers always."""
    _client(engine, container, login).run("sqlite3", "-version")


def names(_engine: Docker, _container: str, _login: Login) -> list[str]:
    """Raise: there is no server to be asked for all of its databases."""
    raise UserError("sqlite does not know `all`", hint="name each file")


def exists(engine: Docker, container: str, name: str, login: Login) -> bool:
    """Tell whether there is such a file, and anything in it."""
    script = '[ ! -s "$1" ] || echo 1'
    return bool(_client(engine, container, login).run("sh", "-c", script, "sh", name))


def beside(name: str) -> str:
    """Give the file beside the real one."""
    return f"{name}.gitops-restore"


def dump(engine: Docker, container: str, name: str, login: Login, timeout: float | None = None) -> Dump:
    """Give a database as a file of SQLite's."""
    copy = _client(engine, container, login).stream("sh", "-c", _COPY, "sh", name, timeout=timeout)
    return Dump(whole(copy, name))


def load_beside(engine: Docker, container: str, name: str, chunks: Iterable[bytes], login: Login) -> None:
    """Write the file beside the real one, and check its integrity."""
    _run(engine, container, login, _LOAD, name, whole(chunks, name))


def swap(engine: Docker, container: str, name: str, login: Login) -> None:
    """Restore into the real file, in one transaction, and remove the other.

    Raises:
        UserError: somebody holds a lock on it, or there is no room; nothing has changed.
    """
    _run(engine, container, login, _SWAP, name)


def discard(engine: Docker, container: str, name: str, login: Login) -> None:
    """Remove the file beside, and what an interrupted dump left."""
    _run(engine, container, login, _DISCARD, name)


def fingerprint(engine: Docker, container: str, name: str, login: Login) -> str:
    """Hash the pages of a fresh copy."""
    made = dump(engine, container, name, login)
    for _ in made:
        pass
    return made.fingerprint


def ask(engine: Docker, container: str, name: str, query: str, login: Login) -> str:
    """Ask in SQL."""
    options = ("-batch", "-bail", "-noheader", "-tabs", "-cmd", f".timeout {_WAIT}")
    # A query that began with a dash would be an option.
    return (
        _client(engine, container, login).run("sqlite3", *options, name, f" {query}").decode(errors="replace")
    )


def _client(engine: Docker, container: str, login: Login) -> Client:
    # As the service itself: root, where it has no capability, gets past no file's owner.
    return Client(engine, container, None, "", login)


def _run(
    engine: Docker, container: str, login: Login, script: str, name: str, stdin: Iterable[bytes] = ()
) -> None:
    _client(engine, container, login).run("sh", "-c", script, "sh", name, stdin=stdin)


def whole(chunks: Iterable[bytes], name: str) -> Generator[bytes, None, str]:
    """Pass on a database's file, raise unless it is as long as its header says, and give its fingerprint."""
    head, rest = b"", iter(chunks)
    while len(head) < _HEADER and (chunk := next(rest, b"")):
        head += chunk
    if len(head) < _HEADER or not head.startswith(_MAGIC):
        raise UserError(f"{name}: what came is no database of SQLite's")
    (page,), (pages,) = _PAGE_SIZE.unpack_from(head), _PAGES.unpack_from(head)
    page = 65536 if page == 1 else page
    common = bytearray(head)
    for own in _OF_THE_COPY:
        common[own] = bytes(own.stop - own.start)
    digest, size = hashlib.sha256(common), len(head)
    yield head
    for chunk in rest:
        digest.update(chunk)
        size += len(chunk)
        yield chunk
    if size != page * pages:
        raise UserError(f"{name}: {size} bytes came, and the database has {pages} pages of {page} bytes")
    return f"{pages} pages of {page} bytes, sha256:{digest.hexdigest()[:16]}"
