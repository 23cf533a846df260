"""A command inside a running container, its input and output streamed (Engine API, POST /exec/ID/start).

The docker SDK reads a hijacked connection below its own buffer and so can lose the first bytes, and it
cannot close the input alone; a dump must not lose a byte, so the connection is made here.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from gitops.system.errors import UserError

_HEADER = struct.Struct(">BxxxI")  # stream, then size of the chunk that follows
_STDERR = 2
_KEPT = 65536
_READ = 1 << 18


class ExecStream:
    """A running command. Iterate for chunks of its standard output; then ask `wait` for its exit status.

    Leaving its `with` block closes the connection. That does not end the command: where that matters, run it
    through timeout(1).
    """

    def __init__(
        self,
        socket_path: str,
        start: str,
        status: Callable[[], int],
        *,
        stdin: Iterable[bytes] | None,
        timeout: float | None,
    ) -> None:
        """Start the command.

        Args:
            socket_path: the engine's socket.
            start: path of the API call that starts it.
            status: asks the engine for its exit status, once it has ended.
            stdin: chunks that it reads; None for no input.
            timeout: seconds that all of it may take; then `TimeoutError` is raised.
        """
        self.stderr = b""
        self._status = status
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._fed_badly: BaseException | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(socket_path)
            body = b'{"Detach":false,"Tty":false}'
            self._socket.sendall(
                f"POST {start} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
                f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            # From here on everything is read through this buffer, so that no byte after the header gets lost.
            self._input = self._socket.makefile("rb")
            self._read_header()
        except BaseException:
            self._socket.close()
            raise
        if stdin is not None:
            threading.Thread(target=self._feed, args=(stdin,), daemon=True).start()

    def __enter__(self) -> Self:
        """Give the stream itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        """Give chunks of standard output as they come; standard error is kept aside, its last 64 KiB.

        The engine cuts output into small frames. Those that have come by now are given as one chunk.

        Raises:
            TimeoutError: the time is up.
        """
        unread = b""
        while more := self._read():
            unread += more
            output, used = self._take(unread)
            unread = unread[used:]
            if output:
                yield output
        if unread:
            raise UserError("the engine broke off in the middle of a command's output")
        if self._fed_badly:
            raise self._fed_badly

    def wait(self) -> int:
        """Read the output to its end and give the command's exit status.

        Raises:
            TimeoutError: the time is up.
        """
        for _ in self:
            pass
        return self._status()

    def close(self) -> None:
        """Close the connection; the command sees its input end and its output go nowhere."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._input.close()
        self._socket.close()

    def _take(self, data: bytes) -> tuple[bytes, int]:
        """Take frames; give what they have of standard output, and how many bytes were taken."""
        view, at, output = memoryview(data), 0, []
        while len(data) - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(data, at)
            end = at + _HEADER.size + size
            if end > len(data):
                break
            chunk = view[at + _HEADER.size : end]
            if stream == _STDERR:
                self.stderr = (self.stderr + bytes(chunk))[-_KEPT:]
            else:
                output.append(chunk)
            at = end
        return b"".join(output), at

    def _read(self) -> bytes:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
        return self._input.read1(_READ)

    def _read_header(self) -> None:
        status = self._input.readline()
        length = 0
        while (line := self._input.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not status.startswith((b"HTTP/1.1 101", b"HTTP/1.1 200")):
            reason = self._input.read(length).decode(errors="replace")
            raise UserError(f"the engine would not run the command: {reason.strip()}")

    def _feed(self, stdin: Iterable[bytes]) -> None:
        try:
            for chunk in stdin:
                self._socket.sendall(chunk)
        except OSError:
            pass  # the command has ended, or does not read on: its exit status tells
        except BaseException as error:  # noqa: BLE001  # raised again where the output is read
            self._fed_badly = error
        finally:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
