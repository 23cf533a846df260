"""Ending a program with all that it started, in whatever container, session or process group that is.

Its mark is a variable of its environment, which every process that it starts inherits; /proc of the host
shows the processes of every container (proc(5), /proc/PID/environ). A process that began with an environment
of its own is known by its parent, or by its session, whose first process is one of the marked ones. Only root
sees the environment of others.
"""

import os
import select
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

VARIABLE = "GITOPS_RUN"
"""The variable that holds the mark."""

_KILLING = 10
"""Seconds in which what was killed has to be gone; the kernel may hold a process that waits for a disk."""


def end(mark: str, grace: float, first: int = 0) -> bool:
    """End all processes with a mark: TERM, and KILL for those that are there after the grace period.

    Args:
        mark: value of `VARIABLE` in their environment.
        grace: seconds between the signals.
        first: number of a living process that is one of them in any case; 0: there is no such.

    Returns:
        Whether none of them is left.
    """
    known = {first: started(first)} if first else {}
    with _told(mark, signal.SIGTERM, known) as found:
        _wait(found.values(), time.monotonic() + grace)
    deadline = time.monotonic() + _KILLING
    while True:  # what is killed may have started another an instant before
        with _told(mark, signal.SIGKILL, known) as found:
            if not found:
                return True
            _wait(found.values(), deadline)
        if time.monotonic() >= deadline:
            return False


def marked(mark: str, known: Mapping[int, int] | None = None) -> set[int]:
    """Give the numbers of the living processes with a mark, and of their descendants.

    Args:
        mark: value of `VARIABLE` in their environment.
        known: others that are among them, with or without a mark: number, and when it began.
    """
    sign = f"\0{VARIABLE}={mark}\0".encode()
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    found = {number for number, ticks in (known or {}).items() if ticks and started(number) == ticks}
    for number in _numbers():
        with suppress(OSError):
            fields = _fields(number)
            if fields[0] in "ZX":
                continue
            parents[number], sessions[number] = int(fields[1]), int(fields[3])
            with open(f"/proc/{number}/environ", "rb") as file:  # noqa: PTH123  # pathlib takes twice as long
                if sign in b"\0" + file.read():
                    found.add(number)
    own = {sessions[number] for number in found if number in sessions} & found
    found |= {number for number, session in sessions.items() if session in own}
    while more := {number for number, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def started(number: int) -> int:
    """Tell when a process began, in clock ticks since the machine did; its number alone may be given again.

    Returns:
        0 when there is no such process, or nothing but its exit status is left of it.
    """
    with suppress(OSError):
        fields = _fields(number)
        return 0 if fields[0] in "ZX" else int(fields[19])
    return 0


@contextmanager
def process(number: int, ticks: int) -> Iterator[int | None]:
    """Give a handle (pidfd_open(2)) of a process that began then; None when it is gone."""
    try:
        handle = os.pidfd_open(number)
    except OSError:
        yield None
        return
    try:
        # Looked at after it was opened: from here on the handle is of this process and no other.
        yield handle if started(number) == ticks else None
    finally:
        os.close(handle)


@contextmanager
def _told(mark: str, what: signal.Signals, known: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """Send a signal to all processes with a mark; give their handles, by number."""
    with ExitStack() as stack:
        handles = {}
        for each in marked(mark, known):
            with suppress(ProcessLookupError):
                handles[each] = os.pidfd_open(each)
                stack.callback(os.close, handles[each])
        # A number may have been given to another process before its handle was opened; what is still marked
        # is what the handles are of.
        still = marked(mark, known) if handles else set()
        found = {each: handles[each] for each in still & handles.keys()}
        for handle in found.values():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, what)
        yield found


def _wait(handles: Iterable[int], deadline: float) -> None:
    """Wait for the end of processes by their handles, no longer than until then."""
    ends, left = select.poll(), set(handles)
    for handle in left:
        ends.register(handle, select.POLLIN)
    while left and (seconds := deadline - time.monotonic()) > 0:
        for handle, _ in ends.poll(seconds * 1000):
            ends.unregister(handle)
            left.discard(handle)


def _numbers() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208  # as above


def _fields(number: int) -> list[str]:
    """Give what /proc/PID/stat says behind the name, which may hold spaces and parentheses itself."""
    with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123  # as above
        return file.read().rpartition(")")[2].split()
