"""A page of an instance's service, asked for over HTTP from inside its own container.

A test's networks lead nowhere, and the engine may be behind a socket that a CI job was given. So
the request goes in through the engine, by Perl, which is in every Debian image (perl-base is Essential).
"""

import io
import time
from http.client import HTTPException, HTTPResponse

from gitops.engine.connection import AwayError, FullError
from gitops.engine.docker import Docker
from gitops.fleet.tests import Check
from gitops.system.errors import UserError
from gitops.testing.outcome import LONGEST, judged, tail

_RELAY = """\
use strict; use IO::Socket::INET;
my $to = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 10)
    or do { print STDERR "cannot connect: $@\\n"; exit 7 };
local $/; my $request = <STDIN>; syswrite $to, $request;
while (sysread $to, my $piece, 65536) { print STDOUT $piece }
"""
_REFUSED = 7
_NOT_UP = (502, 503, 504)  # a server that still waits for what is behind it
_PAUSE = 0.5


class _Received:
    """Bytes that were received, as what http.client takes for a connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        """Give them as a file."""
        return io.BytesIO(self._content)


def ask_page(engine: Docker, container: str, check: Check) -> tuple[str, str]:
    """Ask for a page until it is there, or its time is up; give what is wrong, and what came last.

    While nobody listens, or a server says that it is not up yet, it is asked again.

    Args:
        engine: where the container is.
        container: the running container of the check's service.
        check: what is asked, and what is right.

    Raises:
        UserError: the engine refuses.
    """
    deadline = time.monotonic() + check.timeout
    while True:
        left = max(1.0, deadline - time.monotonic())
        status, wrong, said = _once(engine, container, check, left)
        again = status in _NOT_UP and status != check.right
        if not wrong or not again or time.monotonic() + _PAUSE > deadline:
            return wrong, said
        time.sleep(_PAUSE)


def _once(engine: Docker, container: str, check: Check, timeout: float) -> tuple[int, str, str]:
    """Ask once; give the status (503 where nobody listens), what is wrong, and what came."""
    host = check.host or check.service
    request = (
        f"GET {check.http} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: gitops-test\r\nConnection: close\r\n\r\n"
    )
    command = ["perl", "-e", _RELAY, check.service, str(check.port)]
    answer = b""
    try:
        with engine.exec(container, command, stdin=[request.encode()], timeout=timeout) as stream:
            for piece in stream:
                answer = (answer + piece)[:LONGEST]
            ended = stream.wait()
            errors = stream.stderr
    except TimeoutError:
        return 0, f"no answer within {check.timeout:g} s", tail(answer)
    if ended == _REFUSED:
        return 503, f"nobody listens at port {check.port}", tail(errors)
    if ended:
        return 0, "the request cannot be made: it needs the image's own Perl", tail(answer + errors)
    try:
        response = HTTPResponse(_Received(answer))  # type: ignore[arg-type]  # all that it asks of a socket
        response.begin()
        body = response.read()
    except (HTTPException, OSError, ValueError):
        return 0, "the answer is not HTTP", tail(answer)
    text = body.decode(errors="replace")
    where = response.getheader("Location")
    moved = f" (to {where})" if where and response.status != check.right else ""
    wrong = judged(response.status, check.right, text, check.text, "status")
    return response.status, wrong + moved if wrong else "", tail(body)


def ask_command(engine: Docker, container: str, check: Check) -> tuple[str, str]:
    """Run a command in a container; give what is wrong, and what it wrote last. Otherwise as `ask_page`."""
    said = b""
    try:
        with engine.exec(container, check.command or (), user=check.user, timeout=check.timeout) as stream:
            for piece in stream:
                said = (said + piece)[-LONGEST:]
            status = stream.wait()
            said += stream.stderr
    except TimeoutError:
        return f"not done within {check.timeout:g} s", tail(said)
    except (AwayError, FullError):
        raise
    except UserError as error:  # there is no such program, mostly
        return str(error), ""
    return judged(status, check.right, said.decode(errors="replace"), check.text), tail(said)
