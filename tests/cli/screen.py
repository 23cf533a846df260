"""A terminal to type on and to look at: tmux's, so that shells and programs find a real one."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60.0


@dataclass(frozen=True)
class Screen:
    """A terminal of its own server, which `socket` names."""

    socket: Path

    def type(self, *keys: str) -> None:
        """Press keys: text, or tmux's names for them (`Tab`, `Enter`, `C-u`)."""
        for key in keys:
            named = key in {"Tab", "Enter", "C-c", "C-u"}
            self._tmux("send-keys", *(() if named else ("-l",)), key)

    def shown(self, *, escapes: bool = False) -> str:
        """Give what stands on it; lines that were wrapped are joined; with `escapes`, colours too."""
        return self._tmux("capture-pane", "-p", "-J", *(("-e",) if escapes else ()))

    def wait_for(self, found: Callable[[str], bool]) -> str:
        """Look until the text is as it is to be, and give it."""
        end = time.monotonic() + _PATIENCE
        while not found(text := self.shown()):
            assert time.monotonic() < end, text
            time.sleep(0.05)
        return text

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", str(self.socket), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextmanager
def screen(
    directory: Path, command: str, *, width: int = 80, height: int = 50, environment: Mapping[str, str]
) -> Iterator[Screen]:
    """Run a command on a terminal so wide and high.

    Args:
        directory: where it runs.
        command: for the shell.
        width: columns.
        height: lines.
        environment: what it finds beside ours.
    """
    one = Screen(directory / ".tmux")
    ours = {key: value for key, value in os.environ.items() if key not in {"TMUX", "NO_COLOR", "COLUMNS"}}
    start = ["tmux", "-S", str(one.socket), "-f", "/dev/null", "new-session", "-d"]
    start += ["-x", str(width), "-y", str(height), "-c", str(directory), command]
    subprocess.run(start, env={**ours, "LANG": "C.UTF-8", **environment}, check=True)
    try:
        yield one
    finally:
        subprocess.run(["tmux", "-S", str(one.socket), "kill-server"], check=False, capture_output=True)
