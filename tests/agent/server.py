"""A git server of one test's own: a directory, and people whose keys sign what they push to it."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops.agent.settings import Settings, read_settings
from gitops.system.places import Places
from tests.archive import SigningKey


@dataclass(frozen=True)
class Person:
    """Somebody with an ssh key."""

    name: str
    key: Path

    @property
    def signing(self) -> tuple[str, ...]:
        """Give the options with which git signs as they do."""
        return ("-c", "gpg.format=ssh", "-c", f"user.signingKey={self.key}", "-c", "commit.gpgSign=true")

    @property
    def line(self) -> str:
        """Give their line of an allowed signers file."""
        return f'{self.name}@example.org namespaces="git" {self.key.with_suffix(".pub").read_text()}'


def person(directory: Path, name: str) -> Person:
    """Make somebody."""
    key = directory / f"{name}.key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key))
    key.with_suffix(".key.pub").rename(key.with_suffix(".pub"))
    return Person(name, key)


def openpgp(key: SigningKey) -> tuple[str, ...]:
    """Give the options with which git signs with an OpenPGP key; gpg's home is the caller's to set."""
    return ("-c", f"user.signingKey={key.fingerprint}", "-c", "commit.gpgSign=true")


def run(*args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program that must succeed."""
    done = subprocess.run(args, cwd=cwd, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Server:
    """A repository in which people commit to `main`; it can be asked as a server can."""

    root: Path

    def begin(self) -> None:
        """Make the repository."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Somebody")
        self.git("config", "user.email", "somebody@example.org")

    def git(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run git there."""
        return run("git", *args, cwd=self.root, env=env)

    def write(self, path: str, text: str) -> None:
        """Write a file there."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def commit(
        self, signing: tuple[str, ...] = (), subject: str = "Change", env: Mapping[str, str] | None = None
    ) -> str:
        """Commit everything; give the commit."""
        self.git("add", "--all")
        self.git(*signing, "commit", "--quiet", "--allow-empty", "--message", subject, env=env)
        return self.git("rev-parse", "HEAD")


def agent_settings(places: Places, text: str) -> Settings:
    """Write agent.yaml, and read it."""
    places.config.mkdir(parents=True, exist_ok=True)
    (places.config / "agent.yaml").write_text(text)
    return read_settings(places)
