"""What comes from outside is shown, and does nothing: not on a terminal, in a commit, or on a forge."""

import re

import pytest

from gitops.updates.escaping import code, defanged, disarmed, fenced, line, markup, plain, strong
from tests.updates.proposals import HOSTILE


def test_nothing_that_a_terminal_obeys_or_that_turns_text_around_is_left() -> None:
    shown = plain(HOSTILE)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert "\n  red link\n  right to left\n" in shown
    assert len(shown.split("\n")) == len(HOSTILE.split("\n"))


def test_a_line_of_a_megabyte_is_cut() -> None:
    assert max(map(len, plain(HOSTILE).split("\n"))) <= 400
    assert line("word " * 200_000, 20) == "word word word word…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("thanks to @everyone", "thanks to @ everyone"),
        ("(Closes: #123, #456)", "(Closes: 123, 456)"),
        ("fixes us/them#4 and GH-3", "fixes us/them 4 and GH 3"),
        ("##7 !#8 !9", "7 ! 8 ! 9"),
        ("see https://example.org/x", "see example.org/x"),
        ("http:http:////example.org h://ttp://x", "example.org x"),
        ("[skip ci] [CI SKIP] [skip-checks] [amd64]", "(skip ci) (CI SKIP) (skip-checks) [amd64]"),
        ("\uff20all \uff031", "@ all 1"),
    ],
)
def test_what_a_forge_acts_on_is_said_without_its_sign(text: str, shown: str) -> None:
    assert defanged(text) == shown
    assert defanged(shown) == shown


def test_no_line_begins_as_an_order_or_a_trailer_does() -> None:
    text = "/merge\n  /close\nSigned-off-by: x\nCo-Authored-By : x\nskip-checks: true\n  - usr/bin: moved"
    assert disarmed(text).split("\n") == [
        "| /merge",
        "|   /close",
        "| Signed-off-by: x",
        "| Co-Authored-By : x",
        "| skip-checks: true",
        "  - usr/bin: moved",
    ]


def test_a_fence_is_longer_than_any_run_in_it() -> None:
    block = fenced("a\n`````\nb")
    assert block == "``````text\na\n`````\nb\n``````"
    lines = fenced(HOSTILE).split("\n")
    assert [each for each in lines if set(each) == {"`"} and len(each) >= len(lines[-1])] == [lines[-1]]


def test_what_stands_within_a_line_cannot_leave_it() -> None:
    assert code("a`b\n``c``") == "``` a`b ``c`` ```"
    assert code("") == ""
    assert markup("<b>&\n@x") == "&lt;b&gt;&amp; @ x"
    assert strong("www.example.org_*") == r"**www\.example\.org\_\***"
    assert not re.search(r"\n", code(HOSTILE) + markup(HOSTILE) + strong(HOSTILE))
