"""Images on their way to a registry and from one; the engine itself carries their layers."""

import base64
import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from gitops.engine.connected import Connected
from gitops.engine.connection import ask, follow, refused, telling
from gitops.system.progress import Amount

Told = Callable[[str, Amount | None], None]
"""Called at each step with what is being done, and how far it is; what it raises ends the transfer."""


class Transfers(Connected):
    """Pushing and pulling. Every method raises UserError when the engine is away, or the registry refuses."""

    def push(self, reference: str, credential: Mapping[str, str], told: Told) -> str:
        """Push an image under its name; only layers that the registry lacks are sent.

        Args:
            reference: REPOSITORY:TAG.
            credential: as the Engine API's X-Registry-Auth has it; empty for none.
            told: is told how far it is.

        Returns:
            The digest of the manifest, `sha256:…`.
        """
        repository, _, tag = reference.rpartition(":")
        what = f"cannot push {reference}"
        path = f"/images/{quote(repository)}/push?tag={quote(tag)}"
        for line in _followed(follow(what, path, _who(credential)), what, "pushing", told):
            digest = (line.get("aux") or {}).get("Digest", "")
            if digest:
                return str(digest)
        raise refused(what, "the engine says nothing about its digest")

    def pull(self, repository: str, digest: str, credential: Mapping[str, str], told: Told) -> str:
        """Pull exactly the image of a digest; the engine checks all of it against that.

        Returns:
            The image's id. It has no tag yet.
        """
        what, name = f"cannot pull {repository}@{digest}", f"{repository}@{digest}"
        path = f"/images/create?fromImage={quote(repository)}&tag={quote(digest)}"
        for _ in _followed(follow(what, path, _who(credential)), what, "pulling", told):
            pass
        return str(ask(what, f"/images/{quote(name)}/json")["Id"])

    def drop(self, repository: str, digest: str) -> None:
        """Take away what was pulled by a digest and is not wanted, unless it is in use or has a tag."""
        from docker.errors import APIError  # noqa: PLC0415  # it takes 80 ms

        with telling(f"cannot remove {repository}@{digest}"), contextlib.suppress(APIError):
            self._api.remove_image(f"{repository}@{digest}")

    def architecture(self, image: str) -> str:
        """Give the architecture that an image says it is made for, in the engine's words."""
        return str(ask(f"cannot inspect {image}", f"/images/{quote(image)}/json")["Architecture"])


def _who(credential: Mapping[str, str]) -> dict[str, str]:
    """Give the header by which the engine logs in to a registry (Engine API, "Authentication")."""
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(dict(credential)).encode()).decode()}


def _followed(lines: Iterable[dict[str, Any]], what: str, doing: str, told: Told) -> Iterable[dict[str, Any]]:
    """Give the lines of the engine's answer, and tell how far all layers together are.

    Raises:
        UserError: one of them is an error.
    """
    layers: dict[str, tuple[int, int]] = {}
    far: Amount | None = None
    for line in lines:
        if "errorDetail" in line or "error" in line:
            raise refused(what, str((line.get("errorDetail") or {}).get("message") or line.get("error")))
        detail = line.get("progressDetail") or {}
        if line.get("status") in {"Pushing", "Downloading"} and detail.get("total"):
            layers[str(line.get("id"))] = (int(detail.get("current") or 0), int(detail["total"]))
            done, total = (sum(numbers) for numbers in zip(*layers.values(), strict=True))
            far = Amount(min(done, total), total, "B")
        told(doing, far)
        yield line
