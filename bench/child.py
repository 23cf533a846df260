"""Building a child image with everything in the store against the usual Dockerfile that asks the mirror."""

import tempfile
from pathlib import Path

from bench.figure import Figure, in_turns, run
from bench.stage import docker, starter
from gitops.engine.buildkit import find
from gitops.fleet.load import load

_IMAGE = "wordpress"
_USUAL = """\
FROM {base}
RUN printf '%s\\n' {sources} > /etc/apt/sources.list && apt-get update && \\
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {packages} && \\
    rm -rf /var/lib/apt/lists/*
"""


def measure() -> Figure:
    with starter() as stage, tempfile.TemporaryDirectory() as context:
        stage.gitops("lock")
        stage.gitops("build", _IMAGE)
        fleet = load(stage.root)
        definition = fleet.images[_IMAGE]
        sources = [
            f"'deb {suite.mirror or archive.mirror} {suite.suite}"
            f" {' '.join(suite.components or archive.components)}'"
            for archive in (fleet.settings.archives[name] for name in fleet.archives_of(_IMAGE))
            for suite in archive.suites
        ]
        (base,) = docker(
            "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{stage.name}/{definition.parent}"
        )
        text = _USUAL.format(base=base, sources=" ".join(sources), packages=" ".join(definition.packages))
        Path(context, "Dockerfile").write_text(text)
        usual = (find().client, "build", "--no-cache", "--network", "host", context)

        env = {**stage.env, "DOCKER_BUILDKIT": "1"}
        ours, theirs = in_turns(
            3, lambda: stage.gitops("build", "--again", _IMAGE), lambda: run(*usual, env=env)
        )
    return Figure(
        f"build {_IMAGE}, store warm",
        "apt-get update && apt-get install of the same packages",
        ours.seconds,
        theirs.seconds,
        0.4,
    )
