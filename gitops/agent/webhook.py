"""Who says that something was pushed: is it the forge, and does it say so for the first time?

Nothing that a request holds is believed or used; a good one only makes the agent look at git a little sooner.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256

WINDOW = 300.0
"""Seconds around its time stamp in which a signed request is taken."""

_REMEMBERED = 4096  # deliveries
_MEMORY = 86400.0  # seconds


def _github(headers: Mapping[str, str], body: bytes, secret: bytes, _now: float) -> str | None:
    """GitHub signs the body: `X-Hub-Signature-256: sha256=HEX`. What identifies a delivery is not signed."""
    signature = headers.get("x-hub-signature-256", "")
    return signature if _same(signature, f"sha256={_hmac(secret, body).hex()}") else None


def _forgejo(headers: Mapping[str, str], body: bytes, secret: bytes, _now: float) -> str | None:
    """Forgejo and Gitea sign the body likewise, without the prefix: `X-Forgejo-Signature: HEX`."""
    signature = headers.get("x-forgejo-signature") or headers.get("x-gitea-signature", "")
    return signature if _same(signature, _hmac(secret, body).hex()) else None


def _gitlab(headers: Mapping[str, str], body: bytes, secret: bytes, now: float) -> str | None:
    """GitLab sends the secret itself (`X-Gitlab-Token`) or, where it has a signing token, signs.

    Its signature is that of Standard Webhooks: `webhook-signature: v1,BASE64` of `ID.TIME.BODY`, with the key
    in `whsec_BASE64`.
    """
    if "webhook-signature" not in headers:
        if not _same(headers.get("x-gitlab-token", ""), secret.decode(errors="replace")):
            return None
        return headers.get("x-gitlab-event-uuid") or sha256(body).hexdigest()
    identity, time = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not time.isascii() or not time.isdecimal() or abs(now - int(time[:12])) > WINDOW:
        return None
    signed = _hmac(_key(secret), f"{identity}.{time}.".encode() + body)
    expected = f"v1,{b64encode(signed).decode()}"
    signatures = headers["webhook-signature"].split(" ")
    return identity if any(_same(one, expected) for one in signatures) else None


KINDS: dict[str, Callable[[Mapping[str, str], bytes, bytes, float], str | None]] = {
    "github": _github,
    "gitlab": _gitlab,
    "forgejo": _forgejo,
}
"""For each kind of forge: given headers in lower case, body, secret and the time (seconds since 1970), what
identifies a delivery that is the forge's own; None for any other."""


class Deliveries:
    """Tells deliveries that are the forge's own, each of them once."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        """Begin with none seen.

        Args:
            kinds: whose way of signing is taken; see `KINDS`.
        """
        self._kinds = kinds
        self._seen: OrderedDict[str, float] = OrderedDict()

    def judge(self, headers: Mapping[str, str], body: bytes, secret: bytes, now: float) -> int:
        """Give the HTTP status for a delivery: 202 it is good, 200 it was here before, 403 it is not signed.

        Args:
            headers: by name in lower case.
            body: as it came.
            secret: what the forge signs with.
            now: seconds since 1970.
        """
        identity = next(
            (f"{kind} {found}" for kind in self._kinds if (found := KINDS[kind](headers, body, secret, now))),
            None,
        )
        if identity is None:
            return 403
        while self._seen and (
            len(self._seen) >= _REMEMBERED or next(iter(self._seen.values())) < now - _MEMORY
        ):
            self._seen.popitem(last=False)
        if identity in self._seen:
            return 200
        self._seen[identity] = now
        return 202


def _hmac(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, "sha256")


def _same(given: str, expected: str) -> bool:
    """Compare in a time that says nothing about where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode(errors="replace"))


def _key(secret: bytes) -> bytes:
    if not secret.startswith(b"whsec_"):
        return secret
    try:
        return b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except binascii.Error:
        return secret
