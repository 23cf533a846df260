"""Programs that threads wait for end when somebody says stop."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gitops.system.processes import Interrupted, Processes
from gitops.system.run import CommandError


def test_each_line_of_standard_error_is_told_as_it_comes() -> None:
    told: list[str] = []
    Processes().run(["sh", "-c", "echo one >&2; echo not this; echo two >&2"], told=told.append)
    assert told == ["one", "two"]


def test_a_failure_carries_what_the_program_said() -> None:
    with pytest.raises(CommandError, match="no such thing") as error:
        Processes().run(["sh", "-c", "echo no such thing >&2; exit 7"])
    assert error.value.status == 7


def test_a_variable_is_added_to_the_environment() -> None:
    told: list[str] = []
    Processes().run(["sh", "-c", 'echo "$A $LC_ALL" >&2'], env={"A": "b"}, told=told.append)
    assert told == ["b C.UTF-8"]


def test_stop_ends_every_program_and_none_runs_after_it() -> None:
    processes = Processes()
    begun = threading.Barrier(3, timeout=60)

    def meet(_: str) -> None:
        begun.wait()

    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(
                processes.run,
                ["sh", "-c", "echo begun >&2; exec sleep 3600"],
                told=meet,
            )
            for _ in range(2)
        ]
        begun.wait()
        processes.stop()
        for run in runs:
            with pytest.raises(Interrupted):
                run.result(timeout=60)
    with pytest.raises(Interrupted):
        processes.run(["true"])
    with pytest.raises(Interrupted):
        processes.check()
