"""`gitops --help` against Python starting up and importing typer."""

from bench.figure import Figure, Limit, in_turns, run
from bench.stage import GITOPS, PYTHON


def measure() -> Figure:
    ours, theirs = in_turns(15, lambda: run(GITOPS, "--help"), lambda: run(PYTHON, "-c", "import typer"))
    return Figure(
        "gitops --help",
        "python, import typer",
        ours.seconds,
        theirs.seconds,
        1.5,
        Limit(ours.seconds * 1000, 200, "ms"),
    )
