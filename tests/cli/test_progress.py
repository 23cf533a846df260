"""Bars for what takes long, on a terminal and nowhere else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops.cli.progress import far
from tests.cli.screen import screen

PROGRAM = """
import sys, time
from gitops.cli import progress
from gitops.system.terminal import guard
from gitops.cli.saying import say
from gitops.system.progress import Amount

guard()
progress._SOON = float(sys.argv[1])
with progress.shown() as tell, progress.shown() as same:
    tell("wordpress", "fetching 12 packages \\x1b[2J[bold]", Amount(0, 40_000_000, "B"))
    for count in range(1, 40):
        time.sleep(0.1)
        tell("wordpress", "fetching 12 packages \\x1b[2J[bold]", Amount(count * 1_000_000, 40_000_000, "B"))
        same("web1", "rolling out", Amount(count // 10, 4, "instances"))
        if count == 25:
            say("said \\x1b[2Jamid it")
    if len(sys.argv) > 2:
        time.sleep(600)
print("over")
"""


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_bar_shows_how_far_how_fast_and_how_long(tmp_path: Path, width: int) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = f"{sys.executable} program.py 0.2 stay"
    with screen(tmp_path, command, width=width, environment={}) as terminal:
        text = terminal.wait_for(lambda text: "39 MB of 40 MB" in text or " 98%," in text)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    assert lines[0] == "said amid it"
    assert max(map(len, lines)) <= width
    assert re.search(r"web1: rolling out .*( 3 of 4 instances, [\d.]+/min| 75%), \d+ s left", text)
    how = "98%" if width == 40 else r"39 MB of 40 MB, [\d.]+ MB/s"
    assert re.search(rf"wordpress: fetch.* {how}, \d+ s left", text)


def test_bars_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    with screen(tmp_path, f"{sys.executable} program.py 0.2; sleep 600", environment={}) as terminal:
        text = terminal.wait_for(lambda text: "over" in text)
    assert [line.strip() for line in text.splitlines() if line.strip()] == ["said amid it", "over"]


def test_what_is_over_soon_and_what_goes_into_a_pipe_has_no_bar(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    with screen(tmp_path, f"{sys.executable} program.py 60 2>&1; sleep 600", environment={}) as terminal:
        terminal.wait_for(lambda text: "over" in text or "wordpress" in text)
        assert "wordpress" not in terminal.shown()
    piped = subprocess.run(
        [sys.executable, tmp_path / "program.py", "0"], capture_output=True, text=True, check=True
    )
    assert (piped.stdout, piped.stderr) == ("said \x1b[2Jamid it\nover\n", "")


def test_how_far_is_said_in_the_words_of_what_is_counted() -> None:
    assert far(12.3e6, 45.6e6, "B", 5.2e6, 7) == "12.3 MB of 45.6 MB, 5.2 MB/s, 7 s left"
    assert far(3, 7, "steps", None, None) == "3 of 7 steps"
    assert far(3, 100, "instances", 0.05, 1940) == "3 of 100 instances, 3/min, 32 min 20 s left"
    assert far(0, None, "", None, None) == ""
    assert far(12.3e6, None, "B", 5.2e6, None) == "12.3 MB, 5.2 MB/s"
