"""Every verb has a manual page and a section in docs/commands.md, which say what `--help` says."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gitops.cli.commands import commands
from gitops.cli.main import app
from gitops.cli.manual import _page, pages, write_pages
from gitops.cli.tree import Verb, tree

DOCUMENT = Path(__file__).parents[2] / "docs/commands.md"
VERBS = {" ".join(verb.words): verb for verb in tree().walk()}


def squeezed(text: str) -> str:
    """Leave the letters and digits alone: what sets the text breaks its lines and changes its signs."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("man")
    write_pages(directory)
    return directory


def test_every_verb_has_a_page_and_no_page_is_left_over() -> None:
    assert set(pages()) == {f"{'-'.join(verb.words)}.1" for verb in VERBS.values()}
    assert {"gitops.1", "gitops-build.1", "gitops-backup-run.1"} <= set(pages())


def test_man_sets_every_page_without_a_warning(manual: Path) -> None:
    files = sorted(manual.iterdir())
    told = subprocess.run(
        ["groff", "-ww", "-Tutf8", "-man", "-z", *files], capture_output=True, text=True, check=True
    )
    assert told.stderr == ""
    for file in files[:3]:  # man's own run of it, with its macros and its limits
        shown = subprocess.run(
            ["man", "--warnings=w", "--local-file", file], capture_output=True, text=True, check=True
        )
        assert shown.stderr == ""
        assert "NAME" in shown.stdout


@pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))
def test_a_page_says_what_help_says(verb: Verb, manual: Path) -> None:
    helped = CliRunner().invoke(app, [*verb.words[1:], "--help"]).output
    page = manual / f"{'-'.join(verb.words)}.1"
    set_ = subprocess.run(
        ["groff", "-Tascii", "-P-cbou", "-rLL=200n", "-man", page], capture_output=True, text=True, check=True
    ).stdout
    both = squeezed(helped), squeezed(set_)
    for text in (*verb.help, *(one.help for one in (*verb.arguments, *verb.options)), verb.short):
        assert squeezed(text) in both[1]
    for each in (*verb.help, *(one.help for one in (*verb.arguments, *verb.options))):
        assert squeezed(each) in both[0]
    spelled = set(
        re.findall(r"(?<![\w-])--?[a-z][a-z-]*", helped.partition("Options:")[2].partition("\nCommands:")[0])
    )
    assert {spelling for one in verb.options for spelling in one.spellings} <= spelled
    assert {one.words[-1] for one in verb.verbs} == set(
        re.findall(r"(?m)^  ([a-z][a-z-]*)(?:  |$)", helped.partition("Commands:")[2])
    )


def test_what_roff_would_obey_is_set_as_it_is(tmp_path: Path) -> None:
    words = r".so /etc/passwd \fB 'a' `b` ~c^ --d \n(yr"
    page = _page(Verb(("gitops", "x"), "short", (words, "'br"), (), ()), None)
    (tmp_path / "x.1").write_text(page)
    shown = subprocess.run(
        ["groff", "-ww", "-Tascii", "-P-cbou", "-man", tmp_path / "x.1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert words in shown.stdout


def test_the_document_of_commands_is_current() -> None:
    assert DOCUMENT.read_text() == commands(), "run `make reference`"
