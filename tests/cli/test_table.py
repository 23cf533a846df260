"""Tables on terminals of 40, 80 and 200 columns, in pipes, and with text that means harm."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.screen import Screen, screen

PROGRAM = """
from gitops.system.terminal import guard
from gitops.cli.table import Table, show_all
from gitops.system.complaint import complain
from gitops.system.errors import Problem
guard()
complain(Problem("apps/blog.yaml", 3, 5, "bad \\x1b[2J`ports`", "`port`?"))
complain("warning: nobody knows")
words = "unhealthy: it says nothing at all for a very long while, and then dies with exit status 137"
show_all([
    Table((), (), title="blogs on web1"),
    Table(
        ("instance", "service", "state", "since", "what is the matter"),
        [["alice", "web", "running", "Up 3 weeks", "-"], ["bob", "database", "failed", "Up 4 days", words]],
        spare=("since",),
    ),
    Table(("package", "old", "new"), [["libssl3t64", "3.5.1-1+deb13u1", "\\x1b[2J\\x9b31m3.5.1\\r\\x07-2"]]),
])
"""


@contextmanager
def table(directory: Path, width: int, **environment: str) -> Iterator[tuple[Screen, str]]:
    (directory / "program.py").write_text(PROGRAM)
    command = f"{sys.executable} program.py; sleep 600"
    with screen(directory, command, width=width, environment=environment) as terminal:
        yield terminal, terminal.wait_for(lambda text: "3.5.1-2" in text)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_table_fits_the_terminal_and_loses_no_word_of_what_is_the_matter(
    tmp_path: Path, width: int
) -> None:
    with table(tmp_path, width) as (_, text):
        lines = [line.rstrip() for line in text.rstrip().splitlines()]
    assert max(map(len, lines)) <= width
    assert "withexitstatus137" in re.sub(r"\s+", "", text)
    assert "libssl3t64" in text
    if width == 40:  # a block a row
        assert re.search(r"(?m)^instance +bob *\n  service +database *\n  state +failed *$", text)
    else:
        assert re.search(r"(?m)^bob +database +failed ", text)
        assert ("since" in text) is (width > 60)


def test_colour_is_for_terminals_and_goes_with_no_color(tmp_path: Path) -> None:
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        place = tmp_path / str(coloured)
        place.mkdir()
        with table(place, 80, **environment) as (terminal, _):
            shown = terminal.shown(escapes=True)
        assert bool(re.search(r"\x1b\[[0-9;]*3[1-6]m[^\x1b]*failed", shown)) is coloured
        assert bool(re.search(r"\x1b\[1mapps/blog.yaml:3:5:\S* \x1b\[31mbad `ports", shown)) is coloured
        assert bool(re.search(r"\x1b\[33mwarning:\x1b\[\S+ nobody knows", shown)) is coloured
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    wrong = "apps/blog.yaml:3:5: bad \x1b[2J`ports`\n  `port`?\n"
    assert done.stderr == f"{wrong}warning: nobody knows\n"
    piped = done.stdout
    assert "\x1b[2J" in piped  # a file or a pipe gets what there is
    assert "\x1b[1m" not in piped
    head, alice, bob = piped.splitlines()[2:5]
    assert head.split() == ["instance", "service", "state", "since", "what", "is", "the", "matter"]
    assert alice.index("Up 3") == bob.index("Up 4") == head.index("since")
    assert bob.endswith("exit status 137")
