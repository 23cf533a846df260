"""The pre-commit hook with one file staged against `gitops check`, which reads the same definitions."""

from bench.figure import Figure, Run, in_turns, run
from bench.guarded import APP, guarded
from gitops.system.files import write


def measure() -> Figure:
    with guarded() as stage:

        def hook() -> Run:
            write(stage.root / APP, stage.change())
            stage.git("add", APP)
            return run(".git/hooks/pre-commit", cwd=stage.root)

        ours, check = in_turns(7, hook, stage.check)
    return Figure(
        "pre-commit hook, 1,000 apps, one file staged",
        "gitops check of the same fleet",
        ours.seconds,
        check.seconds,
        1.2,
    )
