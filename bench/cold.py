"""`gitops update` with an empty cache on the real trixie index against unpacking that index alone."""

import shutil

from bench.figure import Figure, Limit, Run, in_turns, run
from bench.mirror import mirrored
from bench.stage import fleet


def measure() -> Figure:
    with mirrored("trixie") as mirror:
        files = {
            "fleet.yaml": f"name: bench\narchives: {{debian: {mirror.archive}}}\n",
            "images/base.yaml": "from: scratch\narchive: debian\npackages: [ca-certificates, tini]\n",
        }
        with fleet(files) as stage:

            def ours() -> Run:
                shutil.rmtree(stage.cache)
                return stage.gitops("update", "--dry-run")

            mine, theirs = in_turns(5, ours, lambda: run("xz", "-dc", mirror.index("trixie")))
    return Figure(
        "update, one image, no index in the cache",
        "xz -dc of the same index",
        mine.seconds,
        theirs.seconds,
        2.0,
        Limit(mine.peak, 150, "MB"),
    )
