"""A small fleet that has everything once, for tests to break."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.fleet.load import load
from gitops.system.errors import Problem, UserError

FILES = {
    "fleet.yaml": """\
name: demo
archives:
  trixie:
    mirror: https://deb.example.org/debian
    suites: [trixie]
    architectures: [amd64, arm64]
  own:
    mirror: https://packages.example.org
    suites: [stable]
    keyring: keys/own.asc
""",
    "keys/own.asc": "a key\n",
    "images/base.yaml": "from: scratch\narchive: trixie\npackages: [tini]\n",
    "images/db.yaml": "from: base\npackages: [mariadb-server]\nhealthcheck: {test: [mariadb-admin, ping]}\n",
    "images/site.yaml": """\
from: base
archives: [own]
packages: [apache2]
copy:
  - source: site.conf
    target: /etc/site.conf
""",
    "images/site/site.conf": "yes\n",
    "apps/blog.yaml": """\
parameters:
  domain: {}
  port: {type: integer}
services:
  web:
    image: site
    ports: ["127.0.0.1:${port}:80"]
    environment: {URL: "http://${domain}"}
    depends_on: [db]
    volumes: ["uploads:/srv/uploads"]
    secrets: [mail]
  db:
    image: db
    volumes: ["data:/var/lib/mysql"]
backup:
  databases: [{service: db, kind: mariadb, name: blog}]
  volumes: [uploads]
jobs:
  tick: {service: web, schedule: "*/5 * * * *", command: [tick, "$$HOME", "${instance}"], timeout: 4m}
""",
    "hosts/one.yaml": """\
backup: {repository: /srv/restic}
instances:
  alice:
    app: blog
    parameters: {domain: alice.example.org, port: 8001}
  bob:
    app: blog
    parameters: {domain: bob.example.org, port: 8002}
""",
    "secrets/mail.age": "sealed\n",
}

Write = Callable[..., Path]


@pytest.fixture
def fleet_with(tmp_path: Path) -> Write:
    """Write the fleet with some files changed: `fleet_with({file: {old: new}, file: whole text or None})`."""

    def write(changes: dict[str, dict[str, str] | str | None]) -> Path:
        for file, content in {**FILES, **changes}.items():
            text = content
            if isinstance(content, dict):
                text = FILES[file]
                for old, new in content.items():
                    assert text.count(old) >= 1, f"{old!r} is not in {file}"
                    text = text.replace(old, new, 1)
            if isinstance(text, str):
                (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / file).write_text(text)
        return tmp_path

    return write


def problems_of(root: Path) -> list[Problem]:
    """Give what is wrong with a fleet, as `gitops check` would say it."""
    try:
        load(root)
    except UserError as error:
        return list(error.problems)
    return []


def told(root: Path) -> list[str]:
    """Give the problems of a fleet as lines: `file:line:column: message (hint)`."""
    return [str(problem).replace("\n  ", " | ") for problem in problems_of(root)]
