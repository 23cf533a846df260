"""`gitops update` when one library is newer in 200 images against asking apt once for each of them.

The images are bases on the real trixie index, each with a font of its own beside the common packages, so that
no two ask apt the same. Their locks are made to say that they have an older libssl.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from bench.figure import Figure, Run, run
from bench.mirror import mirrored
from bench.stage import PYTHON, Stage, fleet
from gitops.debian.indexes import Indexes
from gitops.debian.packages import Package, fields
from gitops.debian.private import private_root
from gitops.debian.suites import Suites
from gitops.fleet.load import load
from gitops.images.archives import sources
from gitops.images.lock import Lock, format_lock
from gitops.images.locks import lock_path, read_locks, request_of

_IMAGES = 200
_LIBRARY = "libssl3t64"
_COMMON = "ca-certificates", "tini"
_BARE = Path(__file__).with_name("bare_resolve.py")
_IMAGE = "from: scratch\narchive: debian\npackages: [{packages}]\n"


def measure() -> Figure:
    with mirrored("trixie") as mirror:
        files = {
            "fleet.yaml": f"name: bench\narchives: {{debian: {mirror.archive}}}\n",
            "images/first.yaml": _IMAGE.format(packages=", ".join(_COMMON)),
        }
        with fleet(files) as stage:
            indexes = Suites(stage.cache / "indexes").indexes(sources(load(stage.root), ["debian"]), "amd64")
            fonts = list(islice(_fonts(indexes), _IMAGES - 1))
            mirror.bring(_write(stage, fonts).path)
            shutil.rmtree(stage.cache / "apt/answers")
            # Once each, and ours first: it takes minutes, and what apt has answered before is remembered.
            mine = stage.gitops("update", "--dry-run")
            theirs = _bare(stage, indexes, ["", *(font.name for font in fonts)])
    return Figure(
        f"update of one library in {_IMAGES} images",
        "apt-get install --simulate for each, on all cores",
        mine.seconds,
        theirs.seconds,
        1.1,
    )


def _fonts(indexes: Indexes) -> Iterator[Package]:
    """Give packages that need and trouble no other: what they add to an image is known without asking apt."""
    for name in sorted(name for name in indexes.names() if name.startswith("fonts-")):
        (package,) = indexes.candidates(name)
        if not {"Depends", "Recommends", "Conflicts"} & fields(indexes.stanza(package) or "").keys():
            yield package


def _write(stage: Stage, fonts: Sequence[Package]) -> Package:
    """Commit an image for each font, and locks with an older version of the library; give the newer one."""
    common = read_locks(load(stage.root))["first", "amd64"].packages
    (now,) = (package for package in common if package.name == _LIBRARY)
    before = replace(now, version=f"{now.version}~before", sha256="0" * 64)
    older = tuple(before if package is now else package for package in common)
    for font in fonts:
        text = _IMAGE.format(packages=", ".join((*_COMMON, font.name)))
        (stage.root / f"images/{font.name}.yaml").write_text(text)
    settings = load(stage.root)
    for image, own in (("first", ()), *((font.name, (font,)) for font in fonts)):
        lock = Lock(image, "amd64", request_of(settings, image), (*older, *own))
        lock_path(stage.root, image, "amd64").write_text(format_lock(lock))
    stage.commit()
    return now


def _bare(stage: Stage, indexes: Indexes, own: Sequence[str]) -> Run:
    """Ask apt the same questions, and do nothing else."""
    private = private_root(indexes, (), stage.cache / "apt")
    always = " ".join(("apt", *sorted(indexes.essential()), *_COMMON))
    questions, status = stage.cache / "questions", stage.cache / "status"
    questions.write_text("".join(f"{always} {name}\n" for name in own))
    status.touch()
    return run(PYTHON, _BARE, questions, status, env={**stage.env, "APT_CONFIG": str(private / "apt.conf")})
