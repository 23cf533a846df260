"""The entry of the program; `python -m gitops` is `gitops`."""

import gc
import os
import signal
import sys
from contextlib import suppress

_MANY = 100_000
"""New objects after which garbage is looked for; loading makes many, and all of them stay."""


def main() -> None:
    """Run the program; while it is still being loaded, Ctrl-C ends it at once and with no traceback."""
    gc.set_threshold(_MANY)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:3] == ["job", "run"]:
        from gitops.jobs.lean import lean  # noqa: PLC0415  # nothing else is to be loaded for it

        status = lean(sys.argv[3:])
        if status is not None:
            with suppress(OSError):  # nobody reads what was followed any more
                sys.stdout.flush()
            os._exit(status)  # nothing is open any more, and taking the interpreter down costs milliseconds
    if sys.argv[1:] == ["status"] and "_GITOPS_COMPLETE" not in os.environ:
        from gitops.cli.glancing import glanced  # noqa: PLC0415  # as above

        if glanced():
            with suppress(BrokenPipeError):
                sys.stdout.flush()
            os._exit(0)
    if sys.argv[1:3] in (["backup", "run"], ["backup", "drill"]) and "_GITOPS_COMPLETE" not in os.environ:
        from gitops.cli import ending  # noqa: PLC0415  # as above

        status = ending.run(lambda: _backup(sys.argv[2], sys.argv[3:]))
        if status is not None:
            os._exit(status)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the rest is still to be loaded
    if os.environ.pop("_GITOPS_COMPLETE", ""):
        from gitops.cli.completing.answer import answer  # noqa: PLC0415  # as above

        answer(sys.argv[1:])
        return
    from gitops.cli.main import main as run  # noqa: PLC0415  # after the line above

    try:
        run()
    finally:
        gc.freeze()  # the process ends: what is left need not be searched for garbage, which takes 20 ms


def _backup(verb: str, words: list[str]) -> int | None:
    """Do what the words say, where they say it plainly, and give the exit status; None: they do not."""
    import logging  # noqa: PLC0415  # as above

    logging.basicConfig(format="%(name)s: %(message)s")
    from gitops.cli.plainly import plainly  # noqa: PLC0415  # nothing else is to be loaded for it

    said = plainly(words)
    if said is None:
        return None
    if verb == "run":
        from gitops.cli.backing_up import back_up  # noqa: PLC0415  # as above

        status = back_up(*said)
    else:
        from gitops.cli.proving import prove  # noqa: PLC0415  # as above

        status = prove(*said)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    return status


if __name__ == "__main__":
    main()
