"""One OCI registry (distribution specification 1.1): manifests, tags, small blobs, removal."""

import hashlib
import json
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from gitops.registry.address import Address, parse
from gitops.registry.credentials import Credential, find
from gitops.registry.transport import Answer, Patience, Transport
from gitops.system.errors import UserError
from gitops.system.places import Places

IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
_ACCEPTED = {"Accept": f"{IMAGE}, {OCI_IMAGE}"}
_LARGEST = 4 << 20
"""Bytes of a manifest; the specification lets a registry refuse more than that."""

_PAGES = 10_000
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
_THERE, _READ = frozenset({200}), frozenset({200, 404})
_MADE, _BEGUN, _GONE = frozenset({201}), frozenset({202}), frozenset({200, 202, 404})


@dataclass(frozen=True)
class Manifest:
    """A manifest as the registry gave it; the digest is that of its bytes, whatever a header says."""

    digest: str
    content: bytes

    def read(self) -> dict[str, Any]:
        """Give what it says; nothing where it is no JSON object."""
        try:
            told = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def config(self) -> str:
        """Give the digest of an image's configuration, which names all that is in it; or nothing."""
        config = self.read().get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        return digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else ""


class Registry:
    """A registry; `with` closes. Threads may share it.

    Every method raises AwayError when it does not answer, and UserError when it refuses.
    """

    def __init__(self, address: Address, transport: Transport) -> None:
        """Keep what is needed; nothing is sent yet."""
        self.address, self._transport = address, transport

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close connections."""
        self._transport.__exit__(kind, error, trace)

    def credential(self) -> Credential | None:
        """Give who we are there, for the engine to say."""
        return self._transport.credential()

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Read a manifest by tag or digest; None where there is none.

        Raises:
            UserError: what comes for a digest is something else.
        """
        answer = self._manifest("GET", repository, reference)
        if answer.status not in _THERE:
            return None
        found = Manifest(f"sha256:{hashlib.sha256(answer.body).hexdigest()}", answer.body)
        if len(answer.body) > _LARGEST or (_DIGEST.fullmatch(reference) and found.digest != reference):
            raise UserError(
                f"the registry {self.address.host} gives another manifest for {repository}@{reference}"
            )
        return found

    def digest(self, repository: str, tag: str) -> str:
        """Give the digest that a tag names now, as the registry says; "" where there is no such tag."""
        answer = self._manifest("HEAD", repository, tag)
        if answer.status not in _THERE:
            return ""
        told = answer.headers.get("docker-content-digest", "")
        if _DIGEST.fullmatch(told):
            return told
        found = self.manifest(repository, tag)
        return found.digest if found else ""

    def tags(self, repository: str) -> list[str]:
        """List the tags of a repository; none where there is no such repository."""
        what, found = f"list the tags of {repository}", []
        path, seen = f"/v2/{repository}/tags/list?n=1000", set[str]()
        while path not in seen and len(seen) < _PAGES:
            seen.add(path)
            answer = self._transport.ask(what, "GET", path, scope=f"{repository}:read", good=_READ)
            if answer.status not in _THERE:
                break
            found += self._tags(answer, repository)
            following = _NEXT.search(answer.headers.get("link", ""))
            if not following:
                break
            path = following[1]
        return list(dict.fromkeys(found))

    def put_blob(self, repository: str, content: bytes) -> None:
        """Store a small blob, unless it is there."""
        digest, scope = f"sha256:{hashlib.sha256(content).hexdigest()}", f"{repository}:write"
        what, path = f"take what {repository} is to hold", f"/v2/{repository}/blobs"
        if self._transport.ask(what, "HEAD", f"{path}/{digest}", scope=scope, good=_READ).status in _THERE:
            return
        begun = self._transport.ask(what, "POST", f"{path}/uploads/", scope=scope, good=_BEGUN, content=b"")
        where = begun.headers.get("location", "")
        query = f"{'&' if '?' in where else '?'}digest={quote(digest)}"
        kind = {"Content-Type": "application/octet-stream"}
        self._transport.ask(
            what, "PUT", f"{where}{query}", scope=scope, good=_MADE, headers=kind, content=content
        )

    def put_manifest(self, repository: str, tag: str, content: bytes, kind: str = OCI_IMAGE) -> str:
        """Store a manifest under a tag, in one step; give its digest."""
        self._transport.ask(
            f"take {repository}:{tag}",
            "PUT",
            f"/v2/{repository}/manifests/{quote(tag)}",
            scope=f"{repository}:write",
            good=_MADE,
            headers={"Content-Type": kind},
            content=content,
        )
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def remove(self, repository: str, digest: str) -> None:
        """Remove a manifest, and with it every tag that names it; one that is gone is gone."""
        what, path = f"remove {repository}@{digest}", f"/v2/{repository}/manifests/{digest}"
        self._transport.ask(what, "DELETE", path, scope=f"{repository}:remove", good=_GONE)

    def _manifest(self, method: str, repository: str, reference: str) -> Answer:
        return self._transport.ask(
            f"give {repository}:{reference}",
            method,
            f"/v2/{repository}/manifests/{quote(reference)}",
            scope=f"{repository}:read",
            good=_READ,
            headers=_ACCEPTED,
        )

    def _tags(self, answer: Answer, repository: str) -> list[str]:
        try:
            told = json.loads(answer.body)["tags"] or ()
            return [tag for tag in told if _TAG.fullmatch(tag)]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f"the registry {self.address.host} gives no readable list of the tags of {repository}",
                hint="is it a registry at all?",
            ) from error


def connect(registry: str, places: Places, patience: Patience | None = None) -> Registry:
    """Reach a registry when it is first asked.

    Args:
        registry: as fleet.yaml names it, HOST[:PORT][/PATH].
        places: this machine's directories, where a credential may be.
        patience: how long it is given, when not as usual.

    Raises:
        UserError: it is none that can be used.
    """
    address = parse(registry)
    return Registry(address, Transport(address, lambda: find(address.host, places), patience or Patience()))
