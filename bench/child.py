"""Building a child image with everything in the store against the usual Dockerfile that asks the mirror.

nginx is an image of ordinary size; `bench.large` does the same for one whose unpacking alone takes long.
"""

import tempfile
from pathlib import Path

from bench.figure import Figure, in_turns, run
from bench.stage import docker, starter
from gitops.engine.buildkit import find
from gitops.fleet.load import load

_USUAL = """\
FROM {base}
RUN printf '%s\\n' {sources} > /etc/apt/sources.list && apt-get update && \\
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {packages} && \\
    rm -rf /var/lib/apt/lists/*
"""


def measure() -> Figure:
    return compare("nginx")


def compare(image: str) -> Figure:
    """Measure one child of the starter fleet's base; `nginx` is added to the fleet for that."""
    with starter() as stage, tempfile.TemporaryDirectory() as context:
        (parent, *_) = load(stage.root).parents_first()
        (stage.root / "images/nginx.yaml").write_text(f"from: {parent}\npackages: [nginx]\n")
        stage.gitops("lock", image)
        stage.gitops("build", image)
        fleet = load(stage.root)
        sources = [
            f"'deb {suite.mirror or archive.mirror} {suite.suite}"
            f" {' '.join(suite.components or archive.components)}'"
            for archive in (fleet.settings.archives[name] for name in fleet.archives_of(image))
            for suite in archive.suites
        ]
        (base,) = docker(
            "image",
            "ls",
            "--format",
            "{{.Repository}}:{{.Tag}}",
            f"{stage.name}/{fleet.images[image].parent}",
        )
        packages = " ".join(fleet.images[image].packages)
        text = _USUAL.format(base=base, sources=" ".join(sources), packages=packages)
        Path(context, "Dockerfile").write_text(text)
        usual = (find().client, "build", "--no-cache", "--network", "host", context)
        env = {**stage.env, "DOCKER_BUILDKIT": "1"}
        ours, theirs = in_turns(
            3, lambda: stage.gitops("build", "--again", image), lambda: run(*usual, env=env)
        )
    return Figure(
        f"build {image}, store warm",
        "apt-get update && apt-get install of the same packages",
        ours.seconds,
        theirs.seconds,
        0.4,
    )
