"""`gitops check` on the starter fleet against Python importing what it needs for that."""

from bench.figure import Figure, in_turns, run
from bench.stage import PYTHON, starter


def measure() -> Figure:
    with starter() as stage:
        ours, theirs = in_turns(
            15,
            lambda: stage.gitops("check"),
            lambda: run(PYTHON, "-c", "import typer, pydantic, ruamel.yaml"),
        )
    return Figure(
        "gitops check, starter fleet",
        "python, import typer, pydantic, ruamel.yaml",
        ours.seconds,
        theirs.seconds,
        1.3,
    )
