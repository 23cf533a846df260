"""`gitops check` on the starter fleet against Python importing what it needs for that."""

from bench.figure import Figure, in_turns, run
from bench.stage import PYTHON, starter

_IMPORTS = "import typer, pydantic, ruamel.yaml"


def measure() -> Figure:
    with starter() as stage:
        ours, theirs = in_turns(
            15,
            lambda: stage.gitops("check"),
            lambda: run(PYTHON, "-c", _IMPORTS),
        )
    return Figure(
        "gitops check, starter fleet",
        "python, import typer, pydantic, ruamel.yaml",
        ours.seconds,
        theirs.seconds,
        1.3,
    )
