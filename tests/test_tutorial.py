"""The tutorial, typed as it stands there, and the starter fleets that it does not use, on a real engine."""

import os
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient

from demo.stage import free_ports
from tests.engine_fixtures import remove_all

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "docs/tutorial.md"
UPDATES = "gitops/updates"
DEBIAN = {"apprise": "apprise", "gitpython": "python3-git", "python-debian": "python3-debian"}
"""Debian's packages of libraries, where they are called otherwise than python3-NAME."""


COMPOSE = """\
services:
  web:
    image: nginx:1.27-alpine
    ports: ["8080:80"]
    volumes: ["./html:/usr/share/nginx/html:ro"]
  db:
    image: postgres:17
    environment:
      POSTGRES_USER: shop
      POSTGRES_PASSWORD: not for git
    volumes: [data:/var/lib/postgresql/data]
volumes: {data: }
"""
CHECKS = """\
test:
  checks:
    - {service: web, http: /, text: A page from beside the file}
    - service: db
      command: PGPASSWORD=$$(cat $$POSTGRES_PASSWORD_FILE) psql --host=db --username=shop -c 'SELECT 1' shop
"""


@dataclass(frozen=True)
class Desk:
    """A place to make fleets at, one after the other, all of one name, so that they share their base image.

    Args:
        place: where everything is.
        fleet: the name.
        port: one that is free, as is the next.
    """

    place: Path
    fleet: str
    port: int

    @property
    def options(self) -> str:
        """What makes a new fleet ours."""
        restic = self.place / "root/srv/restic"
        return f"--name {self.fleet} --web-port {self.port} --host web1 --backup-repository {restic}"

    def type(self, script: str, cwd: Path | None = None) -> str:
        """Type commands, one after the other, until one fails; give what they print."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "HOME": str(self.place),
            "GITOPS_ROOT": str(self.place / "root"),
            "GITOPS_CACHE": str(self.place / "cache"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        done = subprocess.run(
            ["/bin/sh", "-exc", script],
            cwd=cwd or self.place, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def page(self, path: str = "/") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            content: bytes = answer.read()
        return content.decode()


def blocks() -> list[str]:
    """Give the commands of the tutorial's console blocks, a text each."""
    found = re.findall(r"(?ms)^```console\n(.*?)^```$", TUTORIAL.read_text())
    return ["\n".join(re.findall(r"(?m)^\$ (.*)$", block)) for block in found]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, api: APIClient) -> Iterator[Desk]:
    directory, (port, _) = tmp_path_factory.mktemp("tutorial"), free_ports(29001)
    desk = Desk(directory, f"tutorial-{os.getpid()}", port)
    git = "git config --global user.name Anna && git config --global user.email anna@example.org"
    desk.type(git)
    yield desk
    for image in api.images(f"{desk.fleet}/*"):
        api.remove_image(image["Id"], force=True)


@pytest.fixture
def desk(place: Desk, api: APIClient) -> Iterator[Desk]:
    yield place
    remove_all(api, place.fleet)


def test_the_tutorial_leads_from_nothing_to_an_own_app_updated_backed_up_and_on_a_page(desk: Desk) -> None:
    script = [
        block.replace("gitops init notes", f"gitops init notes {desk.options}")
        .replace("8001", str(desk.port))
        .replace("notes.live.web", f"{desk.fleet}.live.web")
        for block in blocks()
    ]
    update = next(number for number, block in enumerate(script) if "gitops update --commit" in block)
    before, merge, after = script[: update + 1], script[update + 1], script[update + 2 :]
    assert UPDATES in merge
    fleet = desk.place / "notes"
    desk.type("\n".join(before))
    assert "What is new today?" in desk.page()
    assert "Hello" in desk.page()
    if UPDATES in desk.type(f"git branch --list {UPDATES}", fleet):
        desk.type(merge, fleet)
        assert "locks/" in desk.type("git log -1 --name-only --format=", fleet)
        assert "nothing to do" in desk.type("gitops apply", fleet)
        assert "Hello" in desk.page()
    desk.type("\n".join(after), fleet)
    index = (desk.place / "notes-page/index.html").read_text()
    assert "live" in index
    assert "web1" in index


def start(desk: Desk, template: str) -> Path:
    """Make a starter fleet and do the three things that `gitops init` says are next."""
    told = desk.type(f"gitops init {template} --template {template} {desk.options}")
    nexts = re.findall(r"(?m)^next: (.*)$", told)
    assert len(nexts) == 3, told
    desk.type("\n".join(nexts))
    return desk.place / template


def test_the_static_site_is_what_the_fleet_says_and_passes_its_own_tests(desk: Desk) -> None:
    fleet = start(desk, "nginx-static")
    assert desk.page() == (fleet / "images/site/public/index.html").read_text()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        desk.page("/nothing-here")
    desk.type("gitops test site", fleet)


def test_the_application_with_postgresql_keeps_notes_and_its_backup_is_proved(desk: Desk) -> None:
    fleet = start(desk, "postgres-app")
    note = b"text=it's <b>bold</b>"
    urllib.request.urlopen(f"http://127.0.0.1:{desk.port}/", note, timeout=30).close()
    assert "it&#39;s &lt;b&gt;bold&lt;/b&gt;" in desk.page()
    desk.type("gitops job run live tidy\ngitops backup run live\ngitops backup drill live", fleet)
    sql = "psql --quiet --command='TRUNCATE note' notes"
    desk.type(f"docker exec --user postgres {desk.fleet}.live.db {sql}", fleet)
    assert "bold" not in desk.page()
    desk.type("gitops backup restore live", fleet)
    assert "bold" in desk.page()


def test_a_compose_file_becomes_an_app_that_works(desk: Desk) -> None:
    shop = desk.place / "shop"
    (shop / "html").mkdir(parents=True)
    (shop / "html/index.html").write_text("A page from beside the file\n")
    (shop / "compose.yaml").write_text(COMPOSE)
    desk.type(f"gitops init imported --template nginx-static {desk.options}")
    fleet = desk.place / "imported"
    told = desk.type(f"gitops import {shop}/compose.yaml", fleet)
    assert f"{shop}/compose.yaml:10: " in told
    key = desk.type("gitops secret key", fleet).split()[-1]
    host = fleet / "hosts/web1.yaml"
    ours = f"age: {key}\ninstances:\n  shop: {{app: shop}}\n"
    host.write_text(host.read_text().replace("instances:\n", ours))
    (secret,) = set(re.findall(r"gitops secret set ([a-z-]+)", told))
    desk.type(f'printf %s "it\'s one" | gitops secret set {secret}', fleet)
    with (fleet / "apps/shop.yaml").open("a") as file:
        file.write(CHECKS)
    desk.type("gitops check\ngitops lock\ngitops build\ngitops test shop", fleet)


def test_the_packages_that_the_tutorial_installs_are_those_that_setup_does() -> None:
    line, libraries = re.findall(r"(?m)^apt install (.*)$", TUTORIAL.read_text())
    setup = (ROOT / "scripts/setup").read_text()
    (first,) = re.findall(r'(?ms)^packages="([^"$]*)"', setup)
    more = re.findall(r'packages="\$packages (docker-[^"]*)"', setup)
    wanted = set(first.split()) | {word for each in more for word in each.split()}
    of_development = {"ca-certificates", "dpkg-dev", "gnupg", "python3-venv"}
    assert set(line.split()) - {"pipx"} == wanted - of_development
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split("[>=]", each)[0] for each in project["dependencies"]}
    assert set(libraries.split()) - {"python3-venv"} == {
        DEBIAN.get(each, f"python3-{each}") for each in needed
    }
