"""`gitops apply` with nothing to do against one list call and reading git HEAD; both above start-up."""

from bench.figure import Figure, in_turns, run
from bench.stage import GITOPS, PYTHON, starter

_BARE = """
import typer, docker, subprocess
client = docker.APIClient(version="auto")
client.containers(all=True, filters={"label": "gitops.fleet"})
subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True)
"""


def measure() -> Figure:
    with starter() as stage:
        stage.gitops("lock")
        stage.gitops("render")
        stage.commit()
        stage.gitops("build")
        stage.gitops("apply")
        ours, bare, start, python = in_turns(
            10,
            lambda: stage.gitops("apply"),
            lambda: run(PYTHON, "-c", _BARE, cwd=stage.root),
            lambda: run(GITOPS, "--help"),
            lambda: run(PYTHON, "-c", "import typer"),
        )
    return Figure(
        "apply, nothing to do, above start-up",
        "one containers list call + git HEAD",
        ours.seconds - start.seconds,
        bare.seconds - python.seconds,
        2.0,
    )
