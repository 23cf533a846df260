"""Building a base with everything in the store against mmdebstrap from the mirror."""

import tempfile

from bench.figure import Figure, in_turns, run
from bench.stage import starter
from gitops.fleet.load import load


def measure() -> Figure:
    with starter() as stage, tempfile.TemporaryDirectory() as directory:
        fleet = load(stage.root)
        (image, *_) = fleet.parents_first()
        stage.gitops("lock", image)
        stage.gitops("build", image)
        (archive,) = (fleet.settings.archives[name] for name in fleet.archives_of(image))
        sources = [
            f"deb [signed-by={archive.keyring}] {suite.mirror or archive.mirror} {suite.suite}"
            f" {' '.join(suite.components or archive.components)}"
            for suite in archive.suites
        ]
        include = f"--include={','.join(fleet.images[image].packages)}"
        rootfs = f"{directory}/rootfs.tar"
        usual = ("mmdebstrap", "--quiet", "--variant=apt", include, archive.suites[0].suite, rootfs, *sources)
        ours, theirs = in_turns(
            3, lambda: stage.gitops("build", "--again", image), lambda: run(*usual, env=stage.env)
        )
    return Figure(
        f"build {image} (a base), store warm", "mmdebstrap from the mirror", ours.seconds, theirs.seconds, 1.0
    )
