"""In an editor with yaml-language-server, what `gitops init` writes completes and explains itself."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.language_server import Editor, editor


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("editor") / "fleet"
    words = ["init", str(root), "--template", "postgres-app", "--host", "web1"]
    mirror = ["--mirror", "https://deb.example.org/debian"]
    command = [sys.executable, "-m", "gitops", *words, *mirror]
    subprocess.run(command, check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def opened(fleet: Path) -> Iterator[Editor]:
    with editor(fleet) as one:
        yield one


@pytest.mark.parametrize(
    "path", ["fleet.yaml", "apps/notes.yaml", "hosts/web1.yaml", "images/notes.yaml", "images/trixie.yaml"]
)
def test_nothing_of_a_new_fleet_is_underlined(opened: Editor, path: str) -> None:
    assert opened.open(path, (opened.root / path).read_text()) == []


@pytest.mark.parametrize(
    ("path", "inside", "key", "about"),
    [
        ("new.yaml", "", "registry", "Where images are pushed"),
        ("apps/a.yaml", "services:\n  web:\n    image: notes\n    ", "healthcheck", "Replaces the image's"),
        ("apps/b.yaml", "jobs:\n  tidy:\n    service: web\n    ", "overlap", "the one before still runs"),
        ("hosts/c.yaml", "backup:\n  repository: /srv/restic\n  ", "keep", "How many backups stay"),
        ("images/d.yaml", "from: trixie\n", "packages", "Debian packages to install"),
    ],
)
def test_completion_offers_the_keys_of_a_place_with_their_meaning(
    opened: Editor, path: str, inside: str, key: str, about: str
) -> None:
    text = f"{modeline(opened.root, path)}{inside}"
    opened.open(path, text)
    lines = text.split("\n")
    offered = opened.completions(path, len(lines) - 1, len(lines[-1]))
    assert about in offered[key], offered


def test_completion_offers_the_values_that_a_key_may_have_and_examples_of_others(opened: Editor) -> None:
    text = modeline(opened.root, "apps/v.yaml") + "jobs:\n  tidy:\n    overlap: \n    schedule: \n"
    opened.open("apps/v.yaml", text)
    assert {"skip", "queue", "kill"} <= set(opened.completions("apps/v.yaml", 3, 13))
    assert any("*/5 * * * *" in each for each in opened.completions("apps/v.yaml", 4, 14))


def test_the_pointer_on_a_key_shows_what_it_means(opened: Editor) -> None:
    path = "apps/notes.yaml"
    text = (opened.root / path).read_text()
    opened.open(path, text)
    lines = text.splitlines()
    for key, meaning in (
        ("healthcheck:", "How to tell that a container works"),
        ("drill:", "restored into a throw-away instance"),
        ("timeout: 5m", "Time after which it is ended"),
    ):
        number = next(number for number, line in enumerate(lines) if key in line)
        assert meaning in opened.hover(path, number, lines[number].index(key) + 1)


@pytest.mark.parametrize(
    ("path", "wrong", "said"),
    [
        ("apps/w1.yaml", "services:\n  web:\n    image: a\n    helthcheck: {}\n", "helthcheck"),
        ("hosts/w2.yaml", "scheduler: at\n", "cron"),
        ("images/w3.yaml", "packages: [nginx]\n", "from"),
        ("wrong.yaml", "name: a\narchives: 5\n", "Incorrect type"),
    ],
)
def test_what_is_wrong_is_underlined(opened: Editor, path: str, wrong: str, said: str) -> None:
    messages = opened.open(path, modeline(opened.root, path) + wrong)
    assert any(said in each for each in messages), messages


def modeline(root: Path, path: str) -> str:
    """Give the first line of a file of the same kind that `gitops init` has written."""
    kind = (root / path).parent
    file = root / "fleet.yaml" if kind == root else next(kind.glob("*.yaml"))
    return file.read_text().partition("\n")[0] + "\n"
