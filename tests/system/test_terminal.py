"""What came from outside is shown on a terminal, and drives nothing there."""

import os
import pty
import subprocess
import sys

import pytest

from gitops.system.terminal import harmless

ATTACKS = {
    "\x1b[31mred\x1b[0m": "red",
    "a\x1b]0;title\x07b": "ab",
    "a\x1b]8;;https://example.org\x1b\\b": "ab",
    "a\x9b2Jb": "ab",
    "a\x9d52;c;cm0gLXJm\x9cb": "ab",
    "a\x1bPq#0\x1b\\b": "ab",
    "paid: 1\rpaid: 9": "paid: 1paid: 9",
    "a\x08\x7f\x00\x1bb": "ab",
    "\u202egpj.exe\u2066": "gpj.exe",
}


@pytest.mark.parametrize("text", ATTACKS)
def test_what_a_terminal_would_obey_is_taken_out(text: str) -> None:
    assert harmless(text) == ATTACKS[text]


def test_words_of_any_language_tabs_and_lines_stay() -> None:
    text = "café\t\u05e9\u05dc\u05d5\u05dd \u65e5\u672c \U0001f469\u200d\U0001f52c → …\n"
    assert harmless(text) is text


def test_every_print_to_a_terminal_is_guarded_and_a_pipe_gets_every_byte() -> None:
    program = (
        "import sys; from gitops.system.terminal import copy, guard; guard();"
        r"print('\x1b[2Jtext'); sys.stderr.write('\x9b5nsaid\n'); sys.stdout.flush();"
        "copy(open(sys.argv[1], 'rb'))"
    )
    command = [sys.executable, "-c", program, "/dev/stdin"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=theirs, stderr=theirs) as process:
        process.communicate(b"job \x1b[31mred\xff\n", timeout=60)
    os.close(theirs)
    shown = b""
    while not shown.endswith(b"\n") or b"job" not in shown:
        shown += os.read(ours, 4096)
    os.close(ours)
    assert shown.decode().split("\r\n") == ["text", "said", "job red\ufffd", ""]
    piped = subprocess.run(command, input=b"job \x1b[31m\xff\n", capture_output=True, check=True)
    assert piped.stdout == b"\x1b[2Jtext\njob \x1b[31m\xff\n"
