"""Asking a forge: what is tried again and for how long, and how a failure is told."""

import json
import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from gitops.system import clock
from gitops.system.errors import UserError

T = TypeVar("T")

_NOT_READABLE = (LookupError, TypeError, ValueError, AttributeError, AssertionError, RuntimeError)
_NOT_NOW, _FORBIDDEN, _TOO_MANY = 405, 403, 429
_PASSING = {0, 408, 500, 502, 503, 504}
_MAYBE_MADE = {_NOT_NOW, 409, 422}
_MESSAGE = 300
_HINTS = {
    0: "check the network, the proxy variables and updates.forge.address, then run it again",
    401: "the token is wrong or has expired; docs/updates.md says where it is kept",
    403: "the token may not do this; docs/updates.md says what it must be allowed",
    404: "check updates.forge.project; a token that may not see a project is told that there is none",
}


@dataclass(frozen=True)
class Patience:
    """How long a forge is given; all in seconds.

    Args:
        attempts: how often something is asked, with the first time.
        first_wait: before the second attempt; it doubles with each.
        limited_wait: likewise, when the forge says "too fast" but not until when (GitHub wants a minute).
        longest_wait: a forge that wants more than this is not waited for.
        answer_within: how long it may take to answer.
        between_writes: GitHub wants a second between requests that change something.
    """

    attempts: int = 5
    first_wait: float = 1
    limited_wait: float = 60
    longest_wait: float = 120
    answer_within: int = 30
    between_writes: float = 1


class RequestError(Exception):
    """A request that failed, in words that all libraries share.

    Args:
        status: the HTTP status; 0: there was no answer.
        content: what the answer or the library said.
        headers: those of the answer.
    """

    def __init__(self, status: int, content: object, headers: Mapping[str, str] | None = None) -> None:
        """Take it apart."""
        super().__init__(status)
        self.status = status
        self.message = _message(content)
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}

    def limited(self) -> bool:
        """Say whether it was asked too fast; GitHub says 403 for that too."""
        return self.status == _TOO_MANY or (
            self.status == _FORBIDDEN
            and (
                "retry-after" in self.headers
                or self.headers.get("x-ratelimit-remaining") == "0"
                or "rate limit" in self.message.lower()
            )
        )

    def passing(self) -> bool:
        """Say whether it may go well the next time; Forgejo says 405 while it looks for conflicts."""
        later = self.status == _NOT_NOW and "try again later" in self.message.lower()
        return self.limited() or later or self.status in _PASSING

    def asked_wait(self) -> float:
        """Give the seconds the forge wants to be left alone: Retry-After (RFC 9110), or its own headers."""
        after = self.headers.get("retry-after", "")
        now = clock.now().timestamp()
        try:
            if after:
                return int(after) if after.isdigit() else parsedate_to_datetime(after).timestamp() - now
            if self.limited():
                reset = self.headers.get("x-ratelimit-reset") or self.headers.get("ratelimit-reset")
                return int(reset) - now if reset else 0
        except (ValueError, OverflowError):
            pass
        return 0


class Asker:
    """Asks one forge, again where that may help, and tells a failure so that a user can mend it.

    Args:
        forge: its kind, as people write it.
        address: where it is.
        token: what must never be seen in a message.
        patience: how long it is given.
        errors: what the library raises, besides RequestError.
        read: makes a RequestError of one.
    """

    def __init__(
        self,
        forge: str,
        address: str,
        token: str,
        patience: Patience,
        errors: tuple[type[Exception], ...],
        read: Callable[[Exception], RequestError],
    ) -> None:
        """Keep what is needed."""
        self._who = f"{forge} at {urlsplit(address).netloc}"
        self._token = token
        self._patience = patience
        self._errors: tuple[type[Exception], ...] = (RequestError, *errors)
        self._read = read

    def ask(self, what: str, request: Callable[[], T], made: Callable[[], T | None] | None = None) -> T:
        """Ask for something.

        Args:
            what: for the message: "open a pull request".
            request: sends it and reads the answer.
            made: of a request that must not be done twice: looks up what it made. It is asked after an answer
                that did not come, or that says that there is such a thing already.

        Raises:
            UserError: the forge refused, asks to wait too long, or failed too often.
        """
        for attempt in range(self._patience.attempts):
            try:
                return request()
            except self._errors as error:
                failure = error if isinstance(error, RequestError) else self._read(error)
                if made and (failure.passing() or failure.status in _MAYBE_MADE):
                    found = made()
                    if found is not None:
                        return found
                wait = self._wait(failure, attempt)
                last = attempt == self._patience.attempts - 1
                if not failure.passing() or wait > self._patience.longest_wait or last:
                    raise self._told(what, failure, wait) from error
                time.sleep(wait)
            except _NOT_READABLE as error:
                raise UserError(
                    f"{self._who} gave an answer that cannot be read when asked to {what}: "
                    + self._clean(f"{type(error).__name__}: {error}"),
                    hint="check updates.forge.kind and updates.forge.address",
                ) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait(self, failure: RequestError, attempt: int) -> float:
        asked = failure.asked_wait()
        first = self._patience.limited_wait if failure.limited() and not asked else self._patience.first_wait
        return max(asked, first * (1 << attempt))

    def _told(self, what: str, failure: RequestError, wait: float) -> UserError:
        status = f"status {failure.status}" if failure.status else "no answer"
        hint = _HINTS.get(failure.status, "")
        if failure.limited():
            hint = f"it is asked too often; run it again in {wait:.0f} s"
        said = self._clean(failure.message)
        return UserError(f"{self._who} does not {what}: {status}" + (f": {said}" if said else ""), hint=hint)

    def _clean(self, text: str) -> str:
        text = text.replace(self._token, "***") if self._token else text
        text = "".join(
            " " if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} else letter for letter in text
        )
        text = re.sub(r" {2,}", " ", text).strip()
        return text if len(text) <= _MESSAGE else f"{text[:_MESSAGE]}…"


def _message(content: object) -> str:
    """Find the words in an answer; each forge puts them elsewhere, GitHub the telling ones in `errors`."""
    if isinstance(content, bytes):
        content = content.decode(errors="replace")
    if isinstance(content, str):
        try:
            return _message(json.loads(content))
        except (ValueError, RecursionError):
            return "" if content.lstrip().startswith("<") else content
    if isinstance(content, dict):
        words = [content.get(name) for name in ("message", "error", "error_description", "errors")]
        return ": ".join(filter(None, map(_message, words)))
    if isinstance(content, list):
        return ", ".join(filter(None, map(_message, content)))
    return "" if content is None else str(content)
