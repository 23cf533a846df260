"""Statements: which digest an image's identity has, signed by who built it, kept in the registry itself.

An identity says what went into an image; only who built it can say what came out. A statement is a text of
fixed lines. In the registry it is an image of nothing, tagged with the identity; text and signature are
annotations of its manifest (OCI image specification, "Annotations"), so that one request reads it. It is no
artifact with a type of its own: there are registries, GitLab's for one, that take only types which they know.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitops.registry.address import Reference
from gitops.registry.registry import OCI_IMAGE, Manifest, Registry
from gitops.registry.signature import UntrustedError, sign, verify
from gitops.system.clock import now, stamp

_TEXT, _SIGNATURE = "gitops.statement", "gitops.signature"
_NO_FILES = bytes(1024)
"""A tar in which nothing is: its end alone."""

_FORM = re.compile(
    r"gitops statement 1\n"
    r"fleet: (?P<fleet>[a-z0-9][a-z0-9-]*)\n"
    r"image: (?P<image>[a-z0-9][a-z0-9-]*)\n"
    r"architecture: (?P<architecture>[a-z0-9]+)\n"
    r"identity: (?P<identity>[0-9a-f]{32})\n"
    r"digest: (?P<digest>sha256:[0-9a-f]{64})\n"
    r"time: (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n"
)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _part(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


_CONFIG = json.dumps(
    {
        "architecture": "unknown",
        "os": "unknown",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_digest(_NO_FILES)]},
    }
).encode()


@dataclass(frozen=True)
class Statement:
    """What somebody says of an image.

    Args:
        fleet: the fleet's name.
        image: the image's name in it.
        architecture: in Debian's words.
        identity: what went in.
        digest: what came out: the manifest's, `sha256:…`.
        time: when it was said, RFC 3339 in UTC.
    """

    fleet: str
    image: str
    architecture: str
    identity: str
    digest: str
    time: str

    def __str__(self) -> str:
        """Give the text that is signed."""
        lines = (f"{name}: {value}\n" for name, value in vars(self).items())
        return f"gitops statement 1\n{''.join(lines)}"


@dataclass(frozen=True)
class Stored:
    """A statement as a registry has it.

    Args:
        statement: what it says; None where it cannot be read.
        signature: what is to prove it.
        digest: of its own manifest.
    """

    statement: Statement | None
    signature: str
    digest: str


def state(fleet: str, reference: Reference, architecture: str, digest: str) -> Statement:
    """Say now that an image has a digest."""
    return Statement(fleet, reference.image, architecture, reference.identity, digest, stamp(now()))


def read(registry: Registry, identity: str) -> Stored | None:
    """Read the statement about an identity, without believing it; None where there is none.

    Raises:
        AwayError: the registry does not answer.
        UserError: it refuses.
    """
    found = registry.manifest(registry.address.statements, identity)
    return _stored(found) if found else None


def lay_ground(registry: Registry) -> None:
    """Store what every statement consists of, and what says nothing yet; raises as `read` does."""
    for blob in (_CONFIG, _NO_FILES):
        registry.put_blob(registry.address.statements, blob)


def write(registry: Registry, statement: Statement, key: Path) -> None:
    """Sign a statement and store it, in one step as others see it; raises as `read` and `sign` do.

    The registry must have been given its ground.
    """
    signature = sign(str(statement), key)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": _part("application/vnd.oci.image.config.v1+json", _CONFIG),
        "layers": [_part("application/vnd.oci.image.layer.v1.tar", _NO_FILES)],
        "annotations": {_TEXT: str(statement), _SIGNATURE: signature},
    }
    registry.put_manifest(
        registry.address.statements, statement.identity, json.dumps(manifest, indent=1).encode()
    )


def believe(
    stored: Stored, fleet: str, reference: Reference, architecture: str, signers: Path
) -> tuple[str, str]:
    """See that a statement is about this image, and signed by one of the signers.

    Args:
        stored: the statement; nothing of it is believed yet.
        fleet: the fleet's name.
        reference: the image's.
        architecture: which of the image's, in Debian's words.
        signers: file in ssh's ALLOWED SIGNERS format.

    Returns:
        The digest that the image has, and words for who says so.

    Raises:
        UntrustedError: it is about something else, or nobody's whom the signers' file lists; says what.
    """
    said = stored.statement
    if said is None:
        raise UntrustedError("its statement is not one")
    who = verify(str(said), stored.signature, signers)
    wanted = {
        "fleet": fleet,
        "image": reference.image,
        "architecture": architecture,
        "identity": reference.identity,
    }
    for name, right in wanted.items():
        if (found := getattr(said, name)) != right:
            raise UntrustedError(f"its statement is about the {name} {found}, not {right}")
    return said.digest, who


def judge(registry: Registry, stored: Stored, fleet: str, signers: Path) -> str:
    """Say whether an image is what a signer says it is: `good`, or what is wrong.

    Its packages are not looked at, which a host does besides.
    """
    said = stored.statement
    if said is None:
        return "its statement is not one"
    repository = registry.address.repository(said.image)
    reference = Reference(
        f"{registry.address.host}/{registry.address.path}".rstrip("/"), said.image, said.identity
    )
    try:
        digest, _ = believe(stored, fleet, reference, said.architecture, signers)
    except UntrustedError as error:
        return f"refused: {error}"
    tagged = registry.digest(repository, said.identity)
    if tagged != digest:
        return f"refused: it has the digest {tagged}" if tagged else "missing: there is only a statement"
    return "good"


def _stored(manifest: Manifest) -> Stored:
    notes = manifest.read().get("annotations")
    notes = notes if isinstance(notes, dict) else {}
    text, signature = (notes.get(name) for name in (_TEXT, _SIGNATURE))
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    statement = Statement(**found.groupdict()) if found and _is_time(found["time"]) else None
    return Stored(statement, signature if isinstance(signature, str) else "", manifest.digest)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
