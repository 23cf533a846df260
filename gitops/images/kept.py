"""Built images as files in a directory, by identity, which a CI system can carry from machine to machine.

`IDENTITY.json` names an image's configuration and layers in order, each a file below `blobs/`: a layer that
many images have is there once. A name is the SHA-256 of what it names, and the engine checks layers against
the configuration, so a file that is not whole is never taken for an image.
"""

import contextlib
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gitops.engine.docker import Docker
from gitops.fleet.fleet import Fleet
from gitops.system import files
from gitops.system.errors import UserError


@dataclass(frozen=True)
class Kept:
    """A directory of images.

    Args:
        root: the directory; made when something is kept.
        engine: what has them otherwise.
    """

    root: Path
    engine: Docker
    _whole: set[str] = field(default_factory=set, init=False, repr=False)

    def supply(
        self, fleet: Fleet, asked: Iterable[str], references: Mapping[tuple[str, str], str], architecture: str
    ) -> list[str]:
        """Give the engine what it lacks of some images; of one that is not kept, the nearest parent that is.

        Returns:
            The images that it has now besides.
        """
        names = {image: name for (image, arch), name in references.items() if arch == architecture}
        there = self.engine.images(list(names.values()))
        found: list[str] = []
        for image in dict.fromkeys(asked):
            below = image
            while below in names and names[below] not in there:
                if self._load(names[below]):
                    there.add(names[below])
                    found.append(below)
                else:
                    below = fleet.images[below].parent
        return found

    def keep(self, references: Collection[str]) -> None:
        """Keep those of some images that the engine has."""
        there = self.engine.images(references)
        if missing := [each for each in sorted(there) if self._read(self._index(each)) is None]:
            self._save(missing)

    def tidy(self, references: Iterable[str]) -> None:
        """Remove all but these images, and the layers that none of them has."""
        wanted = {self._index(reference) for reference in references}
        blobs: set[str] = set()
        for index in self.root.glob("*.json"):
            content = self._read(index)
            if index in wanted and content:
                blobs |= {content["config"], *content["layers"]}
            else:
                index.unlink()
        for blob in (self.root / "blobs").glob("*"):
            if blob.name not in blobs:
                blob.unlink()

    def _load(self, reference: str) -> bool:
        content = self._read(self._index(reference))
        if content is None:
            return False
        with tempfile.TemporaryFile(dir=self.root) as archive:
            with tarfile.open(fileobj=archive, mode="w") as tar:
                names = {blob: f"{blob}.tar" for blob in content["layers"]}
                for blob, name in names.items():
                    tar.add(self._blob(blob), name)
                config = f"{content['config']}.json"
                tar.add(self._blob(content["config"]), config)
                layers = [names[blob] for blob in content["layers"]]
                told = json.dumps([{"Config": config, "RepoTags": [reference], "Layers": layers}]).encode()
                member = tarfile.TarInfo("manifest.json")
                member.size = len(told)
                tar.addfile(member, io.BytesIO(told))
            archive.seek(0)
            with contextlib.suppress(UserError):  # then it is built
                self.engine.load(archive)
        return reference in self.engine.images([reference])

    def _save(self, references: Collection[str]) -> None:
        (self.root / "blobs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.root) as archive:
            self.engine.save(references, archive)
            archive.seek(0)
            with tarfile.open(fileobj=archive) as tar:
                for image in json.load(_member(tar, "manifest.json")):
                    content = {
                        "config": self._store(tar, image["Config"]),
                        "layers": [self._store(tar, layer) for layer in image["Layers"]],
                    }
                    for reference in set(image["RepoTags"] or ()) & set(references):
                        text = json.dumps(content, indent=2) + "\n"
                        files.write(self._index(reference), text, durable=False)

    def _store(self, tar: tarfile.TarFile, name: str) -> str:
        """Copy a member into a file that has the SHA-256 of its content as its name; give that."""
        source = _member(tar, name)
        digest = hashlib.file_digest(source, "sha256").hexdigest()  # type: ignore[arg-type]  # it can be read
        if digest not in self._whole:
            source.seek(0)
            descriptor, part = tempfile.mkstemp(dir=self.root / "blobs", prefix=".part-")
            with os.fdopen(descriptor, "wb") as file:
                while chunk := source.read(1 << 20):
                    file.write(chunk)
            Path(part).replace(self._blob(digest))
        self._whole.add(digest)
        return digest

    def _read(self, index: Path) -> dict[str, Any] | None:
        """Read what an image consists of; None where it is not kept, or not whole."""
        try:
            content = json.loads(index.read_text())
            blobs = [content["config"], *content["layers"]]
            for blob in {*blobs} - self._whole:
                if files.sha256(self._blob(blob)) != blob:
                    return None
                self._whole.add(blob)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return {"config": content["config"], "layers": content["layers"]}

    def _index(self, reference: str) -> Path:
        return self.root / f"{reference.rpartition(':')[2]}.json"

    def _blob(self, digest: str) -> Path:
        return self.root / "blobs" / Path(digest).name


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """Open a member of what the engine saved; a layer that is there twice is a link to the first."""
    found = tar.extractfile(name)
    if found is None:
        raise ValueError(f"the engine saved no {name}")
    return found
