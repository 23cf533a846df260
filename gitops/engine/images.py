"""Images that the engine has."""

import contextlib
import json
from collections.abc import Collection
from typing import IO, Any
from urllib.parse import quote

from gitops.engine.connected import Connected
from gitops.engine.connection import ask, refusal, refused, telling
from gitops.system.errors import UserError

_CHUNK = 1 << 20


class Images(Connected):
    """What containers are made from. Every method raises UserError."""

    def images(self, references: Collection[str]) -> set[str]:
        """Give those of the references that the engine has, in one call."""
        if not references:
            return set()
        return {tag for image in _list(references) for tag in image["RepoTags"] or ()} & set(references)

    def made_here(self, references: Collection[str]) -> set[str]:
        """Give those that the engine has and never pushed under that name, nor pulled."""
        if not references:
            return set()
        found = set[str]()
        # By repositories: an engine that is asked for tags leaves digests out.
        for image in _list({reference.rpartition(":")[0] for reference in references}):
            known = {digest.partition("@")[0] for digest in image["RepoDigests"] or ()}
            found |= {tag for tag in image["RepoTags"] or () if tag.rpartition(":")[0] not in known}
        return found & set(references)

    def tag(self, image: str, reference: str) -> None:
        """Name an image (by id or name) REPOSITORY:TAG."""
        repository, _, tag = reference.rpartition(":")
        with telling(f"cannot tag {image}"):
            self._api.tag(image, repository, tag, force=True)

    def identify(self, reference: str) -> str:
        """Give the id of the image that has a name now; "" when none has."""
        from docker.errors import ImageNotFound  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot inspect {reference}"), contextlib.suppress(ImageNotFound):
            return str(self._inspect_image(reference)["Id"])
        return ""

    def remove_nameless(self, image: str) -> None:
        """Remove an image, by id, that is not wanted, unless it has a name, is in use, or is gone."""
        from docker.errors import APIError  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot remove {image}"), contextlib.suppress(APIError):
            if not self._inspect_image(image)["RepoTags"]:
                self._api.remove_image(image)

    def save(self, references: Collection[str], archive: IO[bytes]) -> None:
        """Write images as one tar archive, as `docker save` does: a layer that several have is there once."""
        with telling("cannot save images"):
            # The SDK's own call takes one image.
            url, names = f"{self._api.base_url}/images/get", {"names": sorted(references)}
            with self._api.get(url, params=names, stream=True, timeout=self._api.timeout) as answer:
                if not answer.ok:
                    raise refused("cannot save images", refusal(answer.content))
                for chunk in answer.iter_content(_CHUNK):
                    archive.write(chunk)

    def load(self, archive: IO[bytes]) -> None:
        """Read images from such an archive, names included."""
        api: Any = self._api  # the SDK's stubs leave this call untyped
        with telling("cannot load an image"):
            for said in api.load_image(archive):
                if "error" in said:
                    raise UserError(f"the engine does not take a kept image: {said['error']}")

    def _inspect_image(self, image: str) -> dict[str, Any]:
        api: Any = self._api  # the SDK's stubs leave this call untyped, too
        found: dict[str, Any] = api.inspect_image(image)
        return found

    def read_file(self, image: str, path: str) -> bytes:
        """Read a file out of an image (or a container's image) without starting anything.

        Args:
            image: id or reference.
            path: absolute path in it; a symlink's target is not followed.
        """
        import io  # noqa: PLC0415  # few ask for files
        import tarfile  # noqa: PLC0415  # as above

        with telling(f"cannot read {path} from {image}"):
            made = self._create({"Image": image, "Cmd": ["-"]})
            try:
                chunks, _ = self._api.get_archive(made, path)
                with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                    member = archive.extractfile(archive.next() or path)
                    return member.read() if member else b""
            finally:
                self._api.remove_container(made, v=True, force=True)


def _list(references: Collection[str]) -> list[dict[str, Any]]:
    """Ask for all images that have one of these names."""
    filters = quote(json.dumps({"reference": list(references)}))
    found: list[dict[str, Any]] = ask("cannot list images", f"/images/json?filters={filters}")
    return found
