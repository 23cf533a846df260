"""Answering a registry that asks who we are (401): Basic, or a token of the server that it names.

After "Token Authentication Specification" of the CNCF's registry: WWW-Authenticate names realm, service and
scope; the realm gives a token for them, to a user and password by GET, to a refresh token by POST.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from gitops.registry.address import Address
from gitops.registry.credentials import Credential
from gitops.system.errors import UserError

Send = Callable[[httpx.Request], httpx.Response]

_PART = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Challenge:
    """What a registry wants: `basic` or `bearer`, and for the latter realm, service and scope."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def read(header: str) -> Challenge:
    """Read a WWW-Authenticate header; one that is not understood has no scheme."""
    scheme, _, rest = header.strip().partition(" ")
    parts = dict(_PART.findall(rest))
    if scheme.lower() == "basic":
        return Challenge("basic")
    if scheme.lower() == "bearer" and parts.get("realm"):
        return Challenge("bearer", parts["realm"], parts.get("service", ""), parts.get("scope", ""))
    return Challenge("")


def authorization(
    challenge: Challenge, credential: Credential | None, address: Address, client: httpx.Client, send: Send
) -> str | None:
    """Give the Authorization header that answers a challenge; None: there is nothing to answer with.

    Raises:
        UserError: the realm is not reached by TLS, or gives no token.
    """
    if challenge.scheme == "basic":
        if credential is None or credential.token:
            return None
        return _basic(credential)
    if challenge.scheme != "bearer":
        return None
    realm = urlsplit(challenge.realm)
    if realm.scheme != "https" and not (realm.scheme == "http" and address.loopback):
        raise UserError(
            f"the registry {address.host} wants our password sent to {challenge.realm!r}, without TLS"
        )
    answer = send(_request(challenge, credential, client))
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return None
    try:
        told = answer.json()
        token = told.get("token") or told["access_token"]
        if answer.status_code == httpx.codes.OK and re.fullmatch(r"[!-~]+", token):
            return f"Bearer {token}"
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UserError(
        f"{realm.netloc} gives no token for the registry {address.host}: status {answer.status_code}"
    )


def _basic(credential: Credential) -> str:
    made = httpx.BasicAuth(credential.user, credential.password)
    return next(made.auth_flow(httpx.Request("GET", "http://registry.invalid"))).headers["Authorization"]


def _request(challenge: Challenge, credential: Credential | None, client: httpx.Client) -> httpx.Request:
    asked = {"service": challenge.service, "scope": challenge.scope}
    if credential and credential.token:
        form = {
            **asked,
            "grant_type": "refresh_token",
            "client_id": "gitops",
            "refresh_token": credential.token,
        }
        return client.build_request("POST", challenge.realm, data=form)
    url = httpx.URL(challenge.realm).copy_merge_params([("service", challenge.service)])
    for scope in challenge.scope.split():
        url = url.copy_add_param("scope", scope)
    headers = {"Authorization": _basic(credential)} if credential else {}
    return client.build_request("GET", url, headers=headers)
