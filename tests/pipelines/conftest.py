"""A fleet on a bare server with hooks, a registry, a host that follows, and what runs its pipelines."""

import json
import os
import subprocess
import sys
import uuid
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker.api.client import APIClient
from docker.errors import APIError, ImageNotFound

from gitops.debian.mirrors import host_archives
from gitops.registry.present import present
from gitops.registry.registry import connect
from gitops.render.ci.workflow import ACTION
from gitops.review.state import read_state
from gitops.system.places import Places
from tests.agent.server import Person, agent_settings, person
from tests.engine_fixtures import remove_all
from tests.git.servers import TOKEN, HttpServer, http_server
from tests.registry_fixtures import PASSWORD, USER, Key, RegistryServer, new_key
from tests.render.linting import NODE

BIN = Path(sys.executable).parent
FORGE, PROJECT = "git.example.org", "us/fleet"
PUSH = {"ref": "refs/heads/main", "before": "0" * 40}
FILES = {
    "images/base.yaml": "from: scratch\narchive: trixie\n",
    "images/site.yaml": "from: base\npackages: [busybox]\ncopy: [{source: page, target: /srv/page}]\n"
    "test: [{command: [cat, /srv/page], text: hello}]\n",
    "images/site/page": "hello\n",
    "apps/site.yaml": "services:\n  web:\n    image: site\n    stop_grace_period: 1s\n"
    "    command: [busybox, httpd, -f, -h, /srv]\n"
    "test: {checks: [{service: web, http: /page, text: hello}]}\n",
    "hosts/web1.yaml": "instances: {alice: {app: site}}\n",
}


@dataclass(frozen=True)
class Stage:
    """Where the story plays.

    Args:
        root: somebody's clone of the fleet.
        name: the fleet's.
        forge: serves the bare repository.
        registry: where images go.
        ada: who commits.
        ci: the key that vouches for images.
        host: the places of a host that follows the repository.
        work: room for what runs pipelines.
    """

    root: Path
    name: str
    forge: HttpServer
    registry: RegistryServer
    ada: Person
    ci: Key
    host: Places
    work: Path
    api: APIClient

    def git(self, *words: str) -> str:
        """Run git in the clone, as ada."""
        token = b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        told = ("-c", f"http.extraHeader=Authorization: Basic {token}")
        return self.run("git", *told, *self.ada.signing, *words)

    def gitops(self, *words: str) -> str:
        """Run gitops in the clone."""
        return self.run(str(BIN / "gitops"), *words)

    def run(self, *words: str, env: dict[str, str] | None = None, good: bool = True) -> str:
        """Run a program in the clone; give all that it says."""
        log = self.work / "log"
        with log.open("wb") as output:
            done = subprocess.run(
                words,
                cwd=self.root,
                env={**self.environment, **(env or {})},
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        said = log.read_text(errors="replace")
        assert (done.returncode == 0) is good, said[-6000:]
        return said

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables of programs: nothing of this machine's own gitops and git."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITOPS_", "GIT_"))}
        return {
            **kept,
            "PATH": f"{BIN}:{kept['PATH']}",
            "GITOPS_ROOT": str(self.work / "runner"),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_GLOBAL": str(self.work / "gitconfig"),
        }

    @property
    def secrets(self) -> dict[str, str]:
        """Give what the forge keeps for the pipeline."""
        return {
            "GITOPS_REGISTRY_USER": USER,
            "GITOPS_REGISTRY_PASSWORD": PASSWORD,
            "GITOPS_SIGNING_KEY": self.ci.path.read_text(),
            "GITOPS_FORGE_TOKEN": "a-token-of-the-forge",
        }

    def references(self) -> dict[str, str]:
        """Give what the clone's images are called."""
        found = read_state(self.root).references
        return {image: name for (image, architecture), name in found.items() if architecture == "amd64"}

    def commit(self, subject: str) -> str:
        """Lock, render and commit everything; give the commit."""
        self.gitops("lock")
        self.gitops("render")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)
        return self.git("rev-parse", "HEAD").strip()

    def act(self, event: str, payload: Mapping[str, object], *more: str, good: bool = True) -> str:
        """Let act run the workflow for an event, on this machine as the runner; give its log."""
        file, given, known = (self.work / name for name in ("event.json", "secrets", "variables"))
        file.write_text(json.dumps(payload))
        # Files, because the runner on this machine has act's own variables, too.
        lines = {**self.secrets, "GITHUB_TOKEN": TOKEN}.items()
        given.write_text("".join(f"{name}={json.dumps(value)}\n" for name, value in lines))
        known.write_text(f"GITOPS_SIGNERS={json.dumps(self.ci.line)}\n")
        command = [
            *(str(BIN / "act"), event, "--directory", str(self.root), "--eventpath", str(file)),
            *("--github-instance", FORGE, "--platform", "ubuntu-24.04=-self-hosted"),
            *("--local-repository", f"{ACTION}={NODE / 'cache'}"),
            *("--action-cache-path", str(self.work / "act"), "--cache-server-path", str(self.work / "kept")),
            *("--cache-server-addr", "127.0.0.1", "--concurrent-jobs", "1"),
            *("--env", f"NODE_PATH={NODE / 'node_modules'}"),
            *("--secret-file", str(given), "--var-file", str(known)),
            *more,
        ]
        return self.run(*command, good=good)

    def gitlab(self, source: str, **variables: str) -> str:
        """Let gitlab-ci-local run the pipeline for an event, on this machine as the runner; give its log."""
        file = self.work / "gitlab.json"
        told = {"CI_PIPELINE_SOURCE": source, "CI_MERGE_REQUEST_DIFF_BASE_SHA": ""}
        signers = {"GITOPS_SIGNERS": self.ci.line}
        file.write_text(json.dumps({**told, **self.secrets, **signers, **variables}))
        command = [
            *(str(NODE / "node_modules/.bin/gitlab-ci-local"), "--force-shell-executor"),
            *("--variables-file", os.path.relpath(file, self.root)),
            *("--home", str(self.work), "--concurrency", "1", "--state-dir", "../gitlab"),
        ]
        return self.run(*command)

    def pushed(self) -> set[str]:
        """Give the images that the registry has, each with its statement."""
        names = self.references()
        with connect(f"{self.registry.host}/{self.name}", self.host) as registry:
            there = present(registry, names.values())
        return {image for image, name in names.items() if name in there}

    def once(self) -> tuple[int, str]:
        """Let the host look at the repository once; give its exit status and what it said."""
        host = self.host
        places = {
            "GITOPS_CONFIG": str(host.config),
            "GITOPS_STATE": str(host.state),
            "GITOPS_CACHE": str(host.cache),
            "GITOPS_RUNTIME": str(host.runtime),
            "GITOPS_CRON": str(host.cron),
        }
        done = subprocess.run(
            [BIN / "gitops", "agent", "once"],
            env={**self.environment, **places},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def forget(self) -> None:
        """Take the fleet's images away from the engine, as a fresh machine has none."""
        for image in self.api.images(filters={"reference": f"{self.registry.host}/{self.name}/*"}):
            for tag in image["RepoTags"] or ():
                with suppress(ImageNotFound, APIError):
                    self.api.remove_image(tag, force=True)


def request(branch: str, *, fork: bool = False) -> dict[str, object]:
    """Give what a forge says of a pull request."""
    owner = "stranger" if fork else "us"
    return {
        "action": "synchronize",
        "number": 1,
        "before": "0" * 40,
        "pull_request": {
            "number": 1,
            "base": {"ref": "main", "repo": {"full_name": "us/fleet"}},
            "head": {"ref": branch, "repo": {"full_name": f"{owner}/fleet", "fork": fork}},
        },
    }


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, registry_server: RegistryServer, api: APIClient
) -> Iterator[Stage]:
    """Write a fleet of a real base and a child, and push it through the server's hooks."""
    work, name = tmp_path_factory.mktemp("pipelines"), f"test-{uuid.uuid4().hex[:8]}"
    ada, ci, host = person(work, "ada"), new_key(work, "ci"), registry_server.places(work / "host")
    gateway = registry_server.host.rpartition(":")[0]  # which jobs in containers reach, too
    with http_server(work / "served", gateway) as forge:
        made = Stage(work / "fleet", name, forge, registry_server, ada, ci, host, work, api)
        (work / "gitconfig").write_text(
            f'[url "{forge.url}/"]\n\tinsteadOf = https://{FORGE}/\n'
            "[user]\n\tname = Ada\n\temail = ada@example.org\n"
        )
        bare = work / "served" / f"{PROJECT}.git"
        bare.mkdir(parents=True)
        bare.with_suffix("").symlink_to(bare)
        made.root.mkdir()
        made.run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        made.run("git", "-C", str(bare), "config", "http.receivepack", "true")
        made.run("sh", "-c", 'cd "$1" && gitops hooks install --server', "-", str(bare))
        mirror = host_archives().debian
        (made.root / "fleet.yaml").write_text(
            f"name: {name}\narchives: {{trixie: {{mirror: '{mirror}', suites: [trixie]}}}}\n"
            f"registry: '{registry_server.host}/{name}'\npipelines: [github, gitlab, forgejo, woodpecker]\n"
        )
        for path, text in FILES.items():
            (made.root / path).parent.mkdir(parents=True, exist_ok=True)
            (made.root / path).write_text(text)
        made.run("git", "init", "--quiet", "--initial-branch=main")
        made.git("remote", "add", "origin", f"https://{FORGE}/{PROJECT}.git")
        made.commit("Begin")
        made.git("push", "--quiet", "origin", "main")
        (host.config / "signers").write_text(ada.line + ci.line)
        agent_settings(host, f"host: web1\nremotes: [{bare}]\ntrust: {{signers: signers}}\n")
        yield made
        remove_all(api, name)
        made.forget()
