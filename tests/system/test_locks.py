"""Locks between processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.system.errors import UserError
from gitops.system.locks import exclusive

HOLD = (
    "import sys, time; from pathlib import Path; from gitops.system.locks import exclusive\n"
    "with exclusive(Path(sys.argv[1]), 'it'): print('held', flush=True); time.sleep(60)"
)


def test_a_second_holder_is_told_and_a_dead_one_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "run" / "host.lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(UserError, match="the host web1 is in use"),
            exclusive(path, "the host web1", wait=0.2),
        ):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    with exclusive(path, "the host web1"):
        pass


def test_a_lock_is_let_go_when_its_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), exclusive(path, "it"):
        raise ZeroDivisionError
    with exclusive(path, "it"):
        pass
