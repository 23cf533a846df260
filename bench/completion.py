"""Completing an instance's name among a thousand, against Python starting up."""

import os
import tempfile
from pathlib import Path

from bench.figure import Figure, Limit, in_turns, run
from bench.stage import GITOPS, PYTHON

_HOSTS, _EACH = 10, 100


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "hosts").mkdir()
        (root / "fleet.yaml").write_text("name: bench\n")
        for host in range(_HOSTS):
            lines = (
                f"  shop{host}-{one}: {{app: blog, parameters: {{port: {one}}}}}\n" for one in range(_EACH)
            )
            (root / f"hosts/web{host}.yaml").write_text(f"instances:\n{''.join(lines)}")
        asking = {**os.environ, "GITOPS_ROOT": f"{root}/root", "_GITOPS_COMPLETE": "bash"}
        words = ("backup", "run", "shop7")
        run(GITOPS, *words, env=asking, cwd=root)
        ours, theirs = in_turns(
            15, lambda: run(GITOPS, *words, env=asking, cwd=root), lambda: run(PYTHON, "-c", "pass")
        )
    return Figure(
        "completing an instance's name, 1,000 of them",
        "python",
        ours.seconds,
        theirs.seconds,
        None,
        Limit(ours.seconds * 1000, 150, "ms"),
    )
