"""Dumps of a run's databases: short ones wait in the bundle, long ones stream into snapshots of their own.

What was long the last time streams from its beginning, since restic takes a while until it reads.
"""

import contextlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from threading import Thread
from typing import NamedTuple

from gitops.backup.databases import KINDS
from gitops.backup.insisting import insist
from gitops.backup.progress import Progress, Task
from gitops.backup.sets import Dataset, Part
from gitops.backup.wanted import Wanted, find_container
from gitops.fleet.names import container_name
from gitops.system.errors import UserError
from gitops.system.progress import Amount

STAGED = 16 << 20
"""Bytes of the longest dump that waits for the others, to be saved together with them."""

_SIDE_BY_SIDE = 4
"""Instances whose databases are dumped at the same time, at most; and no more than there are processors."""


class _DumpError(Exception):
    """A dump went wrong, and not what stores it."""


class _Known(NamedTuple):
    """What a run asks once for all of its dumps.

    Args:
        running: names of the containers that run.
        long: instance and database whose dump did not wait in the bundle the last time.
    """

    running: frozenset[str]
    long: frozenset[tuple[str, Dataset]]


def dump_databases(task: Task, everything: Sequence[Progress]) -> None:
    """Dump all databases: instances side by side, those of one instance one after the other.

    Raises:
        UserError: the repository does not take one.
    """
    waiting = deque(one for one in everything if one.databases)
    if not waiting:
        return
    known = _Known(_running(task), _long(task, everything))
    errors: list[BaseException] = []

    def work() -> None:
        with contextlib.suppress(IndexError):
            while not errors:
                own = waiting.popleft()
                try:
                    _dump_all(own, known)
                except BaseException as error:  # noqa: BLE001  # raised again below
                    errors.append(error)

    # They die with us, since a dump may hang, and Ctrl-C must not wait for it. Each lives as long as every
    # restic that it has started, which the kernel would end with it.
    processors = task.vault.restic.limits.cpus or len(os.sched_getaffinity(0))
    threads = [Thread(target=work, daemon=True) for _ in range(min(_SIDE_BY_SIDE, processors, len(waiting)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _running(task: Task) -> frozenset[str]:
    """Name the containers that run; asking once for a hundred instances is enough."""
    try:
        found = task.engine.containers(task.vault.fleet, task.vault.host)
    except UserError:  # each database will tell
        return frozenset()
    return frozenset(one.name for one in found if one.state == "running")


def _long(task: Task, everything: Sequence[Progress]) -> frozenset[tuple[str, Dataset]]:
    """Say which dumps will be long, if they are what they were; being wrong costs little."""
    last = task.vault.kept.last((own.name, one.dataset) for own in everything for one in own.databases)
    return frozenset(key for key, part in last.items() if part.size > STAGED)


def _dump_all(own: Progress, known: _Known) -> None:
    for one in own.databases:
        own.task.tell(f"{own.name}: saving {one.dataset}")
        attempt = partial(_dump, own, one, known)
        try:
            own.save(insist(attempt, own.task.vault.restic, own.task.tell))
        except _DumpError as error:
            own.fail(one.dataset, str(error))


def _dump(own: Progress, one: Wanted, known: _Known) -> Part:
    """Dump a database: into the bundle, where its part has no snapshot yet; or, if long, into its own."""
    task, kind, dataset = own.task, KINDS[one.dataset.kind], one.dataset
    container = container_name(task.vault.fleet, own.name, dataset.service)
    try:
        if container not in known.running:
            vault = task.vault
            container = find_container(task.engine, vault.fleet, vault.host, own.name, dataset.service)
        dump = kind.dump(task.engine, container, dataset.name, one.login, own.asked.timeout)
    except (UserError, OSError) as error:
        raise _DumpError(str(error)) from error
    file = dataset.file(kind.extension)
    staged = task.bundle.dump(own.name, file)
    try:
        chunks = _told(iter(dump))
        if (own.name, dataset) not in known.long:
            if staged.take(chunks, STAGED):
                return Part(dataset, "", str(staged.path), staged.size, dump.fingerprint)
            chunks = staged.then(chunks)
        size, vault = 0, task.vault
        with vault.restic.incoming(file, task.tags) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
                size += len(chunk)
                vault.progress(own.name, f"saving {dataset}", Amount(size, None, "B"))
            snapshot = incoming.finish().snapshot
        return Part(dataset, snapshot, f"/{file}", size, dump.fingerprint)
    except OSError as error:
        staged.remove()
        raise _DumpError(f"it cannot wait in {task.bundle.directory}: {error.strerror}") from error
    except _DumpError:
        staged.remove()
        raise
    finally:
        task.vault.progress(own.name, "")
        dump.close()


def _told(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass a dump on, and tell its failing, or the engine's, from that of whoever takes it."""
    try:
        yield from chunks
    except (UserError, OSError) as error:
        raise _DumpError(str(error)) from error
