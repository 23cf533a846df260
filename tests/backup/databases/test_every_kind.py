"""What every kind of database promises: all of it comes back, or nothing is called good."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gitops.backup.databases import Dump
from gitops.backup.databases.client import at_work
from gitops.engine.docker import Docker
from gitops.system.errors import UserError
from tests.backup.databases.conftest import answers
from tests.backup.databases.subjects import Subject
from tests.database_fixtures import until

_ROWS = 6000  # more than all buffers between a dumping program and us hold
_FEW = 200
_AS_A_PROGRAM = """
import sys
from gitops.backup.databases import KINDS, Login
from gitops.engine.docker import Docker
kind, container, name, verb = sys.argv[1:]
if verb == "dump":
    chunks = iter(KINDS[kind].dump(Docker(), container, name, Login()))
    next(chunks), next(chunks)
    print("dumping", flush=True)
    sys.stdin.read()
else:
    print("swapping", flush=True)
    KINDS[kind].swap(Docker(), container, name, Login())
"""


def _program(database: Subject, verb: str) -> subprocess.Popen[bytes]:
    words = [database.kind, database.container, database.name, verb]
    process = subprocess.Popen(
        [sys.executable, "-c", _AS_A_PROGRAM, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def _begun(dump: Dump) -> Iterator[bytes]:
    """Read the first megabyte, and give what reads the rest."""
    chunks, got = iter(dump), 0
    while got < 1 << 20:
        got += len(next(chunks))
    return chunks


def test_a_database_comes_back_as_its_fingerprint_says(database: Subject) -> None:
    database.fill(_FEW)
    whole, said = database.dump()
    assert database.fingerprint() == said
    database.remove_a_row()
    assert database.fingerprint() != said

    assert database.exists()
    assert not database.exists(database.module.beside(database.name))
    database.load_beside([whole])
    assert database.exists(database.module.beside(database.name))
    assert database.rows() == _FEW - 1, "the real one changed before its time"
    assert database.fingerprint(database.module.beside(database.name)) == said
    database.swap()
    assert not database.exists(database.module.beside(database.name))
    assert (database.rows(), database.fingerprint()) == (_FEW, said)
    assert database.left_over() == ""


def test_chunks_of_any_size_load(database: Subject) -> None:
    database.fill(20)
    whole, said = database.dump()
    database.load_beside(whole[at : at + 7] for at in range(0, len(whole), 7))
    database.swap()
    assert database.fingerprint() == said


def test_what_was_given_up_leaves_nothing_behind(database: Subject) -> None:
    database.fill(_FEW)
    whole, said = database.dump()
    database.discard()
    database.load_beside([whole])
    database.discard()
    assert database.left_over() == ""
    with pytest.raises(UserError):
        database.swap()
    assert database.fingerprint() == said


def test_a_dump_that_was_cut_does_not_load(database: Subject) -> None:
    database.fill(_FEW)
    whole, said = database.dump()
    for length in (0, 1, len(whole) // 2, len(whole) - 40):
        with pytest.raises(UserError):
            database.load_beside([whole[:length]])
    assert database.fingerprint() == said
    database.discard()
    assert database.left_over() == ""


def test_writers_during_the_dump_do_not_make_its_fingerprint_wrong(database: Subject) -> None:
    database.fill(_ROWS)
    writing = threading.Event()

    def write() -> None:
        while not writing.is_set():
            if database.kind == "redis":
                database.ask(f"SET w{time.monotonic_ns()} x")
            else:
                database.ask(f"INSERT INTO t (n) VALUES ({random.randrange(10**6, 10**9)});")  # noqa: S311, S608

    writer = threading.Thread(target=write)
    writer.start()
    try:
        whole, said = database.dump()
    finally:
        writing.set()
        writer.join()
    assert database.rows() >= _ROWS
    database.load_beside([whole])
    database.swap()
    assert database.fingerprint() == said


@pytest.mark.parametrize("seed", range(12))
def test_a_dump_killed_in_the_container_at_any_byte_is_never_good(database: Subject, seed: int) -> None:
    database.fill(_ROWS)
    size = _ROWS * 1024
    point = random.Random(seed).randrange(size)  # noqa: S311
    made = database.module.dump(database.engine, database.container, database.name, database.login)
    got = 0

    def reading() -> Iterator[bytes]:
        nonlocal got
        with _meanwhile(database) as kill:
            for chunk in made:
                got += len(chunk)
                if got >= point:
                    kill.set()
                yield chunk

    try:
        said = b"".join(reading()) and made.fingerprint
    except UserError:
        return
    # All of it had been written, to pipes and sockets, before the kill came.
    assert got >= size
    assert said == database.fingerprint()


@contextmanager
def _meanwhile(database: Subject) -> Iterator[threading.Event]:
    """Kill the dumping program when the event is set. The engine ends no other command while nobody reads."""
    event = threading.Event()

    def kill() -> None:
        event.wait()
        database.shell(f"kill -KILL {' '.join(database.processes(database.tool))} 2>/dev/null; :")

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield event
    finally:
        event.set()
        thread.join()


def test_a_server_that_stops_in_the_middle_of_a_dump_makes_it_fail(database: Subject) -> None:
    database.fill(_ROWS)
    good = database.module.dump(database.engine, database.container, database.name, database.login)
    assert sum(map(len, good)) > 1 << 20
    made = database.module.dump(database.engine, database.container, database.name, database.login)
    chunks = _begun(made)
    stopping = threading.Thread(target=database.engine.stop, args=(database.container, 1))
    stopping.start()
    time.sleep(1)
    try:
        for _ in chunks:
            pass
    except UserError:
        pass
    else:  # a server that is told to end lets its clients finish, and some are quick
        assert made.fingerprint == good.fingerprint
    finally:
        stopping.join()
        database.engine.start(database.container)
        until(lambda: answers(database.kind, database.container))


def test_a_dump_ends_when_nobody_reads_it_any_more(database: Subject) -> None:
    database.fill(_ROWS)
    made = database.module.dump(database.engine, database.container, database.name, database.login)
    reading = _begun(made)
    assert database.processes(database.tool)
    made.close()
    until(lambda: not database.processes(database.tool))
    assert next(reading, None) is None
    assert database.left_over() == ""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_dump_ends_when_gitops_is_killed(database: Subject, end: signal.Signals) -> None:
    database.fill(_ROWS)
    with _program(database, "dump") as process:
        assert database.processes(database.tool)
        process.send_signal(end)
    until(lambda: not database.processes(database.tool))
    until(lambda: database.left_over() == "")
    assert database.dump()[1] == database.fingerprint()


def test_a_dump_that_takes_too_long_fails_and_ends(database: Subject) -> None:
    database.fill(_ROWS)
    made = database.module.dump(database.engine, database.container, database.name, database.login, 0.5)

    def slowly() -> Iterator[bytes]:
        for chunk in made:
            time.sleep(0.5)
            yield chunk

    with pytest.raises(UserError, match=r"took longer than 0\.5 s"):
        b"".join(slowly())
    until(lambda: not database.processes(database.tool))


@pytest.mark.parametrize("seed", range(6))
def test_a_swap_whose_caller_is_killed_at_any_moment_leaves_the_old_or_the_new(
    database: Subject, seed: int
) -> None:
    database.fill(_FEW)
    whole, new = database.dump()
    database.remove_a_row()
    old = database.fingerprint()
    database.load_beside([whole])
    with _program(database, "swap") as process:
        time.sleep(random.Random(seed).uniform(0, 1.0))  # noqa: S311
        process.kill()
    until(lambda: not at_work(Docker(), database.container))
    beside = database.exists(database.module.beside(database.name))
    assert database.fingerprint() == (old if beside else new)
    until(lambda: not database.processes("gitops") and answers(database.kind, database.container))
    until(lambda: database.fingerprint() in (old, new))
    database.load_beside([whole])
    database.swap()
    assert database.fingerprint() == new
    assert database.left_over() == ""


def test_no_room_beside_leaves_the_real_one_alone(database: Subject) -> None:
    database.fill(_ROWS)
    whole, said = database.dump()
    if database.kind == "postgresql":  # which ends itself where its log, not a table, finds no room
        database.ask("SELECT pg_switch_wal(); CHECKPOINT;", database.maintenance)
    filler = f"{database.data}/.filler"
    database.shell(f"dd if=/dev/zero of={filler} bs=64k 2>/dev/null; truncate -s -2M {filler}")
    try:
        with pytest.raises(UserError):
            database.load_beside([whole])
    finally:
        database.shell(f"rm {filler}")
    database.discard()
    assert database.fingerprint() == said
    assert database.left_over() == ""
