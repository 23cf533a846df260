"""Whether a fleet that lies in a directory could be deployed; apart, because loading this takes a while."""

from pathlib import Path

from gitops.fleet.load import load
from gitops.guard.bounds import MEMORY
from gitops.guard.memory import Memory
from gitops.render.unready import unready
from gitops.system.errors import Problem, UserError


def judge(root: Path, repository: Path, path: str) -> list[Problem]:
    """Say everything that is wrong: definitions; or else locks that do not fit; or else stale files.

    Args:
        root: where the fleet lies.
        repository: the own directory of the repository that it is from, where what it says is remembered.
        path: its directory in there.
    """
    memory = Memory(repository, path)
    try:
        fleet = load(root, reading=memory.read)
        memory.keep()
        return unready(fleet)
    except UserError as error:
        return list(error.problems)
    except MemoryError:
        return [Problem(message=f"takes more than {MEMORY >> 20:,} MiB of memory")]
    except RecursionError:
        return [Problem(message="is nested too deeply")]
