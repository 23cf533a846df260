"""Redis and Valkey, by their own tools in their own container. A server is dumped as a whole, without names.

A dump is an RDB file, as the server sends it to a replica. On its way out it goes through redis-check-rdb,
which reads all of it to its end marker and compares the checksum.

It is restored by replication: a scratch server in the same container loads the file, and the real server
becomes its replica for as long as it takes to copy everything. So the real server itself changes over, and
writes what it then has where it is set up to keep it, an append-only file also; nothing is put under it while
it is stopped. Meanwhile the container needs the memory of both.
"""

import re
from collections.abc import Generator, Iterable

from gitops.backup.databases.client import Client
from gitops.backup.databases.kind import Dump
from gitops.backup.login import Login
from gitops.engine.docker import Docker
from gitops.system.errors import UserError

extension = "rdb"
embedded = False
atomic = False

_TOOLS = r"""
for cli in redis-cli valkey-cli; do command -v "$cli" >/dev/null && break; done
check=${cli%-cli}-check-rdb server=${cli%-cli}-server
# With a wrong password redis-cli goes on as nobody in particular, who may be allowed everything.
refused=$("$cli" "$@" ping 2>&1 >/dev/null </dev/null | grep '^AUTH failed')
[ -z "$refused" ] || { echo "$refused" >&2; exit 1; }
setting() { "$cli" "$@" --raw config get "$setting" | sed -n 2p; }
"""
# The stages of a pipe say one by one that they ended well: a shell tells the exit status of the last alone.
_ASK = rf"""{_TOOLS}
exec "$cli" "$@"
"""
# The server would wait some seconds for more replicas to come.
_DUMP = rf"""{_TOOLS}
delay=$(setting=repl-diskless-sync-delay setting "$@")
delay_by() {{ by=$1; shift; "$cli" "$@" config set repl-diskless-sync-delay "$by" >&2; }}
trap 'delay_by "$delay" "$@"' EXIT
trap 'exit 1' HUP INT TERM
delay_by 0 "$@"
exec 4>&1
good=$({{
    {{ "$cli" "$@" --rdb - && printf 1 >&3; }} |
    {{ tee /dev/fd/4 && printf 2 >&3; }} |
    {{ "$check" /dev/stdin >&2 && printf 3 >&3; cat >/dev/null; }}
}} 3>&1)
[ "${{#good}}" = 3 ]
"""
_BESIDE = rf"""{_TOOLS}
directory=$(setting=dir setting "$@") && [ -d "$directory" ] || exit 1
beside=$directory/gitops-restore.rdb
port=6399
scratch() {{ env -u REDISCLI_AUTH "$cli" -p "$port" "$@"; }}
replication() {{ "$cli" "$@" info replication | tr -d '\r'; }}
"""
_LOAD = rf"""{_BESIDE}
umask 077
rm -f "$beside"
cat >"$beside.part" || exit
said=$("$check" "$beside.part") || {{ echo "$said" >&2; exit 1; }}
mv "$beside.part" "$beside"
"""
_CHECK = rf"""{_BESIDE}
exec "$check" "$beside"
"""
_SWAP = rf"""{_BESIDE}
[ -f "$beside" ] || {{ echo "$beside: there is no such file" >&2; exit 1; }}
over=
# A password for another master must not be shown to the scratch server, which has none.
masteruser=$(setting=masteruser setting "$@") masterauth=$(setting=masterauth setting "$@")
"$server" --port "$port" --bind 127.0.0.1 --dir "$directory" --dbfilename gitops-restore.rdb --save '' \
    --appendonly no --repl-diskless-sync yes --repl-diskless-sync-delay 0 >&2 & running=$!
end() {{
    "$cli" "$@" replicaof no one >&2
    printf %s "$masteruser" | "$cli" "$@" -x config set masteruser >&2
    printf %s "$masterauth" | "$cli" "$@" -x config set masterauth >&2
    kill "$running"
    wait "$running"
    [ -z "$over" ] || rm -f "$beside"
}}
trap 'end "$@"' EXIT
until [ "$(scratch ping 2>/dev/null)" = PONG ]; do kill -0 "$running" || exit 1; sleep 0.1; done
"$cli" "$@" config set masteruser '' >&2
"$cli" "$@" config set masterauth '' >&2
[ "$("$cli" "$@" replicaof 127.0.0.1 "$port")" = OK ] || exit 1
until replication "$@" | grep -q '^master_link_status:up$'; do
    replication "$@" | grep -q "^master_port:$port\$" && kill -0 "$running" || exit 1
    sleep 0.1
done
# With an append-only file the new content is kept only when that file was written anew.
while "$cli" "$@" info persistence | grep -q '^aof_rewrite_\(in_progress\|scheduled\):1'; do sleep 0.1; done
over=1
"""
_DISCARD = rf"""{_BESIDE}
if replication "$@" | grep -q "^master_port:$port\$"; then
    "$cli" "$@" replicaof no one >&2
    scratch shutdown nosave >&2
fi
rm -f "$beside" "$beside.part"
"""

_FILE = "gitops-restore.rdb"
_LOOKS_OK = re.compile(r"\[offset (\d+)\] \\o/ RDB looks OK")
_KEYS = re.compile(r"\[info\] (\d+) keys read\n\[info\] (\d+) expires")
_MARK = 40
"""Bytes that redis-cli leaves after a file which the server sends without knowing its length beforehand."""


def ready(engine: Docker, container: str, login: Login) -> None:
    """Raise UserError unless the server answers, with everything loaded."""
    said = ask(engine, container, "", "PING", login).strip()
    if said != "PONG":
        raise UserError(f"redis in {container} does not answer well", hint=said)


def names(_engine: Docker, _container: str, _login: Login) -> list[str]:
    """Raise: a server is dumped as a whole."""
    raise UserError("redis does not know `all`", hint="leave it out: a server is dumped as a whole")


def exists(engine: Docker, container: str, name: str, login: Login) -> bool:
    """Tell whether there is any key, or, by the name that `beside` gives, whether there is the file."""
    if name:
        client, options = _client(engine, container, login)
        script = f'{_BESIDE}\n[ ! -f "$beside" ] || echo 1'
        return bool(client.run("sh", "-c", script, "sh", *options))
    return ask(engine, container, "", "DBSIZE", login).strip() != "0"


def beside(_name: str) -> str:
    """Give a name that means the file beside: ask whether it is there, and for its fingerprint."""
    return _FILE


def dump(engine: Docker, container: str, _name: str, login: Login, timeout: float | None = None) -> Dump:
    """Give everything in the server as an RDB file."""
    client, options = _client(engine, container, login)
    return Dump(_checked(client.stream("sh", "-c", _DUMP, "sh", *options, timeout=timeout)))


def load_beside(engine: Docker, container: str, _name: str, chunks: Iterable[bytes], login: Login) -> None:
    """Write the file into the server's directory, and check it."""
    _run(engine, container, login, _LOAD, chunks)


def swap(engine: Docker, container: str, _name: str, login: Login) -> None:
    """Let the real server take over what is in the file, by way of a scratch server.

    Raises:
        UserError: the scratch server did not start, or the real one refused; it has the old, or the new.
    """
    _run(engine, container, login, _SWAP)


def discard(engine: Docker, container: str, _name: str, login: Login) -> None:
    """Remove the file, and the scratch server of an interrupted swap."""
    _run(engine, container, login, _DISCARD)


def fingerprint(engine: Docker, container: str, name: str, login: Login) -> str:
    """Count the keys of a fresh dump, or of the file beside."""
    if name == _FILE:
        client, options = _client(engine, container, login)
        return _counted(client.run("sh", "-c", _CHECK, "sh", *options).decode(errors="replace"))
    made = dump(engine, container, name, login)
    for _ in made:
        pass
    return made.fingerprint


def ask(engine: Docker, container: str, _name: str, query: str, login: Login) -> str:
    """Run commands, one a line."""
    client, options = _client(engine, container, login)
    stdin = [f"{query}\n".encode()]
    return client.run("sh", "-c", _ASK, "sh", *options, stdin=stdin).decode(errors="replace")


def _client(engine: Docker, container: str, login: Login) -> tuple[Client, list[str]]:
    options = ["--no-auth-warning", *(["--user", login.user] if login.user else [])]
    return Client(engine, container, "root", "REDISCLI_AUTH", login), options


def _run(engine: Docker, container: str, login: Login, script: str, stdin: Iterable[bytes] = ()) -> None:
    client, options = _client(engine, container, login)
    client.run("sh", "-c", script, "sh", *options, stdin=stdin)


def _checked(stream: Generator[bytes, None, str]) -> Generator[bytes, None, str]:
    """Pass on a file without what follows its end, and give its fingerprint: the keys that do not expire."""
    held, given = b"", 0
    while True:
        try:
            held += next(stream)
        except StopIteration as end:
            said: str = end.value
            break
        if len(held) > _MARK:
            yield held[:-_MARK]
            given += len(held) - _MARK
            held = held[-_MARK:]
    good = _LOOKS_OK.search(said)
    if not good or not given <= int(good[1]) <= given + len(held):
        raise UserError("redis-check-rdb does not call the dump good", hint=said.strip())
    fingerprint = _counted(said)
    yield held[: int(good[1]) - given]
    return fingerprint


def _counted(said: str) -> str:
    """Give the fingerprint from what redis-check-rdb says."""
    keys = _KEYS.search(said)
    if not keys:
        raise UserError("redis-check-rdb does not count the keys", hint=said.strip())
    return f"{int(keys[1]) - int(keys[2])} keys that do not expire"
