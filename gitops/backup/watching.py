"""A restic that is looked at while it works: how many bytes it has done, and of how many."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from gitops.backup.answers import how_far
from gitops.system.run import Result, run, start

Watch = Callable[[int, int], object]
"""Is told bytes that are done, and bytes in all."""

_OFTEN = {"RESTIC_PROGRESS_FPS": "2"}


def run_watched(
    command: Sequence[str], environment: Mapping[str, str], watch: Watch | None, cwd: Path | None = None
) -> Result:
    """Run restic, told to answer in JSON, to its end.

    Args:
        command: restic, tied to us, and its arguments.
        environment: variables for it.
        watch: is told how far it is; None: nobody is.
        cwd: where it runs.
    """
    if watch is None:
        return run(command, env=environment, cwd=cwd, check=False)
    with TemporaryFile() as said:  # a pipe would be full at some time, and nobody reading
        process = start(command, stderr=said, env={**environment, **_OFTEN}, cwd=cwd)
        rest: list[bytes] = []
        try:
            for line in process.stdout or ():
                if far := how_far(line):
                    watch(*far)
                else:
                    rest.append(line)
        except BaseException:
            process.kill()
            raise
        finally:
            process.communicate()
        said.seek(0)
        errors = said.read().decode(errors="replace")
    return Result(process.returncode, b"".join(rest).decode(errors="replace"), errors)
