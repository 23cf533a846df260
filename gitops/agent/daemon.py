"""The agent as a daemon: it looks at git and the engine now and then, and lets a child do what is to be done.

At rest it is small: what reads definitions, renders and talks to the engine at length is imported by the
child alone, which is `gitops agent once` and ends when the host is as it should be.
"""

import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

from gitops.agent.lookout import look_out
from gitops.agent.settings import Settings
from gitops.agent.tick import rest
from gitops.agent.wake import listen
from gitops.engine.docker import Docker
from gitops.system.errors import InterruptedByUserError, UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places
from gitops.system.program import itself
from gitops.system.run import start

if TYPE_CHECKING:
    import subprocess

_BREATH = 1.0  # seconds between two turns, however often somebody rings


class Daemon:
    """One agent; there is at most one on a host."""

    def __init__(
        self, settings: Settings, places: Places, child: Sequence[str], tell: Callable[[str], None]
    ) -> None:
        """Prepare an agent.

        Args:
            settings: the agent's; read again by each child, but by this process only when it starts.
            places: the host's directories.
            child: the command that takes a turn.
            tell: says what changes, a text at a time.
        """
        self._settings, self._places, self._command, self._tell = settings, places, child, tell
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._may_interrupt = False
        self._said = ""

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; a turn that is under way ends between two of its steps.

        Raises:
            UserError: there is an agent already, or it cannot listen where it is to.
        """
        places, webhook = self._places, self._settings.webhook
        with exclusive(places.runtime / "agent.lock", "the agent of this host"), ExitStack() as stack:
            stack.enter_context(listen(places, self._ring))
            if webhook:
                from gitops.agent.doorbell import Doorbell  # noqa: PLC0415  # few agents need a server

                stack.enter_context(Doorbell(webhook, places, self._ring))
            if metrics := self._settings.metrics:
                from gitops.agent.exporter import Exporter  # noqa: PLC0415  # see above

                stack.enter_context(Exporter(metrics.listen, places))
            for number in (signal.SIGTERM, signal.SIGINT):
                stack.callback(signal.signal, number, signal.signal(number, self._stop))
            self._tell(f"follows {self._settings.branch} of {self._settings.remotes[0].url}")
            engine = stack.enter_context(Docker())
            try:
                while not self._stopping:
                    self._turn(engine)
                    with self._interruptible():
                        look_out(self._places)
                    self._wait()
            except InterruptedByUserError:
                pass
            self._tell("stopped")

    def _turn(self, engine: Docker) -> None:
        try:
            with self._interruptible():
                said = rest(self._settings, self._places, engine)
        except (UserError, OSError) as error:  # a full disk, too: the next turn may find room
            self._say(str(error))
            return
        if said is not None:
            self._say(str(said))
            return
        self._said = ""
        self._delegate()

    def _delegate(self) -> None:
        """Let a child take the turn, and pass on what it says."""
        with start(self._command, stdout=sys.stdout.fileno()) as self._child:
            if self._stopping:
                self._child.terminate()
            for line in self._child.stderr or ():
                print(line.decode(errors="replace"), end="", file=sys.stderr, flush=True)  # noqa: T201
        self._child = None

    def _wait(self) -> None:
        """Wait for the next turn's time, or for somebody to ring; one turn serves all who rang meanwhile."""
        poll, jitter = self._settings.poll, self._settings.jitter
        with self._interruptible(), suppress(Empty):
            time.sleep(_BREATH)
            self._bell.get(timeout=poll + jitter * secrets.randbelow(1001) / 1000 - _BREATH)
            while True:
                self._bell.get_nowait()

    def _ring(self) -> None:
        self._bell.put(None)

    def _say(self, text: str) -> None:
        """Say what is new, and nothing every half minute."""
        if text != self._said:
            self._tell(text)
        self._said = text

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let a signal end the block at once: nothing is being changed in it."""
        self._may_interrupt = True
        try:
            if self._stopping:
                raise InterruptedByUserError
            yield
        finally:
            self._may_interrupt = False

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._child:
            self._child.terminate()
        elif self._may_interrupt:
            raise InterruptedByUserError


def child_command() -> list[str]:
    """Give the command for a child that takes a turn."""
    return [*itself(), "agent", "once"]
