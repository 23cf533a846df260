"""One registry by HTTP: TLS, authentication, what is tried again and for how long, how a failure is told."""

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Self

import httpx

from gitops.registry.address import Address
from gitops.registry.authentication import authorization, read
from gitops.registry.credentials import Credential, Find
from gitops.registry.trust import context
from gitops.system.errors import UserError

log = logging.getLogger(__name__)

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_REDIRECTS = range(300, 400)
_SHOWN = 300
_ANY = ""
"""The scope of what is good for everything: a user and a password."""

_HINTS = {
    401: "docker login HOST; in CI, GITOPS_REGISTRY_USER and GITOPS_REGISTRY_PASSWORD_FILE",
    403: "this user may not do that there",
    405: "where that is a removal: the registry must allow it (storage.delete.enabled in its config.yml)",
    413: "something before the registry, a proxy mostly, takes no bodies of that size",
    500: "its log says why; its disk may be full",
    507: "the registry's disk is full: gitops registry gc, then the registry's own garbage-collect",
}


class AwayError(UserError):
    """A registry that does not answer, or not now; that says nothing about the thing it was asked for."""


@dataclass(frozen=True)
class Patience:
    """How long a registry is given; times in seconds, sizes in bytes.

    Args:
        attempts: how often something is asked, with the first time.
        first_wait: before the second attempt; it doubles with each.
        longest_wait: a registry that wants more than this is not waited for.
        connect_within: for the connection.
        answer_within: for one whole answer.
        largest: what an answer may hold.
    """

    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 30
    connect_within: float = 10
    answer_within: float = 60
    largest: int = 64 << 20


@dataclass(frozen=True)
class Answer:
    """What came back: HTTP status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def reason(self) -> str:
        """Give the registry's own words: `errors: [{code, message, detail}]` (distribution specification)."""
        try:
            errors = json.loads(self.body)["errors"]
            said = "; ".join(
                " ".join(f"{one.get('code', '')}: {one.get('message', '')}".split()) for one in errors
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            said = ""
        said = "".join(letter for letter in said if letter.isprintable())[:_SHOWN]
        return f"status {self.status}" + (f", {said}" if said else "")


class Transport:
    """Asks one registry; `with` closes. Threads may share it.

    Args:
        address: where it is.
        find: looks for the credential, when it is first asked for one.
        patience: how long it is given.
    """

    def __init__(self, address: Address, find: Find, patience: Patience) -> None:
        """Keep what is needed; nothing is sent yet."""
        self._address, self._find, self._patience = address, find, patience
        self._scheme = "https"
        self._lock = threading.Lock()
        self._found: list[Credential | None] = []
        self._tokens: dict[str, str] = {}
        limit = httpx.Timeout(patience.answer_within, connect=patience.connect_within)
        headers = {"User-Agent": "gitops"}
        self._client = httpx.Client(
            verify=context(address.host), timeout=limit, headers=headers, follow_redirects=False
        )

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close connections."""
        self._client.close()

    def credential(self) -> Credential | None:
        """Give the credential, looked for once; raises as `credentials.find` does."""
        with self._lock:
            if not self._found:
                self._found.append(self._find())
            return self._found[0]

    def ask(
        self,
        what: str,
        method: str,
        path: str,
        *,
        scope: str,
        good: frozenset[int],
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Ask, again where that may help.

        Args:
            what: for the message: "list the tags of team/web".
            method: HTTP's.
            path: path and query, from its slash; or a whole URL on the same host, as a Location may be.
            scope: what shares a token: a repository, and whether it is read or changed.
            good: which statuses are an answer; any other is a failure.
            headers: to send besides our own.
            content: the body.

        Raises:
            AwayError: it gave no answer, or none now.
            UserError: it refused, with its words and what can be done.
        """
        wait = self._patience.first_wait
        for attempt in range(1, self._patience.attempts + 1):
            last = attempt == self._patience.attempts
            try:
                answer = self._once(method, path, scope, headers or {}, content)
            except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError, TimeoutError) as error:
                if last or "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise self._away(what, error) from error
                pause = wait
            else:
                if answer.status in good:
                    return answer
                pause = max(wait, _asked(answer))
                if answer.status not in _PASSING or last or pause > self._patience.longest_wait:
                    self._refuse(what, answer)
            log.debug("%s again in %.1f s: %s %s", self._address.host, pause, method, path)
            time.sleep(pause)
            wait *= 2
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(
        self, method: str, path: str, scope: str, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        token = self._tokens.get(scope) or self._tokens.get(_ANY)
        answer = self._send(self._request(method, path, headers, content, token))
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return _answer(answer)
        challenge = read(answer.headers.get("WWW-Authenticate", ""))
        made = authorization(challenge, self.credential(), self._address, self._client, self._send)
        if made is None or made == token:
            return _answer(answer)
        self._tokens[_ANY if challenge.scheme == "basic" else scope] = made
        return _answer(self._send(self._request(method, path, headers, content, made)))

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, token: str | None
    ) -> httpx.Request:
        home = httpx.URL(f"{self._scheme}://{self._address.host}/")
        url = home.join(path)
        if (url.scheme, url.host, url.port) != (home.scheme, home.host, home.port):
            raise UserError(
                f"the registry {self._address.host} sends us to {url.scheme}://{url.netloc.decode()}",
                hint="behind a proxy, it must be told how the world calls it (http.host in its config.yml)",
            )
        more = {"Authorization": token} if token else {}
        return self._client.build_request(method, url, headers={**headers, **more}, content=content)

    def _send(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the answer, which may be neither endless nor slow without end."""
        until = time.monotonic() + self._patience.answer_within
        try:
            answer = self._client.send(request, stream=True)
        except httpx.ConnectError as error:
            if not (self._address.loopback and self._scheme == "https" and _speaks_http(error)):
                raise
            self._scheme = "http"
            again = self._client.build_request(
                request.method,
                request.url.copy_with(scheme="http"),
                headers=request.headers,
                content=request.content,
            )
            return self._send(again)
        try:
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > self._patience.largest:
                    raise UserError(f"the registry {self._address.host} gives an answer that is too long")
                if time.monotonic() > until:
                    raise TimeoutError(f"the answer took longer than {self._patience.answer_within:g} s")
            return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=body)
        finally:
            answer.close()

    def _away(self, what: str, error: Exception) -> AwayError:
        reason = str(error) or type(error).__name__
        hint = ""
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            hint = (
                "a certificate of your own authority goes, for the engine and for gitops, into "
                f"/etc/docker/certs.d/{self._address.host}/ca.crt"
            )
        return AwayError(f"the registry {self._address.host} does not answer, to {what}: {reason}", hint=hint)

    def _refuse(self, what: str, answer: Answer) -> NoReturn:
        kind = AwayError if answer.status in _PASSING else UserError
        hint = _HINTS.get(answer.status, "").replace("HOST", self._address.host)
        if answer.status in _REDIRECTS:
            hint = "it sends us elsewhere, where nothing of ours goes; name that registry in fleet.yaml"
        raise kind(f"the registry {self._address.host} does not {what}: {answer.reason()}", hint=hint)


def _answer(response: httpx.Response) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, response.content)


def _plain(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Give headers without what was about the encoding, which is undone."""
    return [pair for pair in headers.items() if pair[0] not in {"content-encoding", "content-length"}]


def _asked(answer: Answer) -> float:
    """Give the seconds that a registry wants to be left alone (RFC 9110, Retry-After); of a date, none."""
    after = answer.headers.get("retry-after", "")
    return float(after) if after.isdecimal() else 0.0


def _speaks_http(error: httpx.ConnectError) -> bool:
    return "SSL" in str(error) and "CERTIFICATE_VERIFY_FAILED" not in str(error)
