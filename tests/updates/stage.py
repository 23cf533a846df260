"""A fleet's clone, its forge, and updates made up on the spot: what publishing needs, without an archive."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gitops.debian.packages import Package
from gitops.fleet.updates import Updates as Settings
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.images.lock import Lock, format_lock
from gitops.updates.effect import Effect, PackageUpdate, Place, Rebuild
from gitops.updates.find import Update, Updates
from gitops.updates.news import News
from gitops.updates.outcome import Outcome
from gitops.updates.publish import publish
from tests.forge.fake.project import Pull
from tests.forge.fake.server import FakeForge
from tests.git.conftest import git

if TYPE_CHECKING:
    from gitops.forge.pull_request import Forge

BRANCH = "gitops/updates"
MONDAY = datetime(2025, 6, 2, 3, 0, tzinfo=UTC)


class KilledError(BaseException):
    """The run is over, at once."""


class Mortal:
    """Stands in for a remote or a forge, and lets the run die before one of its writes.

    Args:
        real: what it stands in for.
        lives: how many writes there are before that, shared by all that stand in.
    """

    writes = frozenset({"push", "delete", "create", "edit", "close", "comment", "label", "request_review"})

    def __init__(self, real: object, lives: list[int]) -> None:
        self.real = real
        self.lives = lives

    def __getattr__(self, name: str) -> object:
        """Give what the real one has."""
        if name in self.writes | {"merge"}:
            if not self.lives[0]:
                raise KilledError
            self.lives[0] -= 1
        return getattr(self.real, name)


def lock_text(name: str, version: str) -> str:
    """Write a lock of one package."""
    digest = sha256(version.encode()).hexdigest()
    package = Package(name, version, "amd64", name, "debian", "trixie", f"pool/{name}.deb", 1, digest)
    return format_lock(Lock(name, "amd64", ("from scratch",), (package,)))


def update(name: str, version: str, group: str = "", *, security: bool = False) -> Update:
    """Make up an update of one package, which has an image to itself."""
    suite = "debian/trixie-security" if security else "debian/trixie"
    package = PackageUpdate(name, name, "1", version, suite, (name,), ("alice@one",))
    return Update(
        name=group,
        branch="-".join(filter(None, (BRANCH, group))),
        security=security,
        effect=Effect(
            (package,),
            (Rebuild(name, ("amd64",), None),),
            (Place("one", "alice", ("web",), "page", 1),),
            (),
            (),
        ),
        news=(News(name, "1", version, packages=(package,)),),
        files={f"locks/{name}.amd64.lock": lock_text(name, version)},
        contents=frozenset({f"{name}={version}"}),
    )


@dataclass
class Stage:
    """A clone with a remote on a forge, and what a person does there."""

    forge: FakeForge
    root: Path
    settings: Settings = field(default_factory=Settings)

    def run(
        self,
        *updates: Update,
        at: datetime = MONDAY,
        now: bool = False,
        lives: int | None = None,
        base: str | None = None,
    ) -> tuple[Outcome, ...]:
        """Publish updates, as the bot does, found for the base there is unless another is given.

        KilledError is raised when its lives do not suffice.
        """
        repository = Repository(self.root)
        remote, forge = Remote(repository, "origin", self.forge.token), self.forge.connect()
        if lives is not None:
            left = [lives]
            remote, forge = cast("Remote", Mortal(remote, left)), cast("Forge", Mortal(forge, left))
        base = base or remote.fetch("main", self.settings.branch)["main"]
        return publish(
            repository, remote, "main", forge, Updates(base, self.settings, updates, ()), at=at, now=now
        )

    def states(self, *updates: Update, at: datetime = MONDAY, now: bool = False) -> list[str]:
        """Publish updates, and give the state of each branch."""
        return [outcome.state for outcome in self.run(*updates, at=at, now=now)]

    def person_commits(self, branch: str, files: dict[str, str]) -> str:
        """Let a person push a commit on top of a branch."""
        server = str(self.forge.project.root)
        git(self.root, "fetch", "--quiet", server, branch)
        git(self.root, "switch", "--quiet", "--detach", "FETCH_HEAD")
        for path, text in files.items():
            (self.root / path).parent.mkdir(exist_ok=True)
            (self.root / path).write_text(text)
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message", "By hand")
        git(self.root, "push", "--quiet", server, f"HEAD:refs/heads/{branch}")
        return git(self.root, "rev-parse", "HEAD")

    def open_pulls(self) -> list[Pull]:
        """Give the open pull requests."""
        return [pull for pull in self.forge.pulls if pull.state == "open"]

    def branches(self) -> dict[str, str]:
        """Give the tree of each branch but the base, as the forge has it."""
        form = "%(refname:short) %(tree)"
        listed = self.forge.project.git("for-each-ref", f"--format={form}", f"refs/heads/{BRANCH}*")
        return dict(line.split(" ", 1) for line in listed.splitlines())


def begin(forge: FakeForge, root: Path, settings: Settings | None = None) -> Stage:
    """Make a clone with one commit, on the forge too."""
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "remote", "add", "origin", forge.url)
    stage = Stage(forge, root, settings or Settings())
    for name in ("nginx", "openssl"):
        (root / "locks").mkdir(exist_ok=True)
        (root / f"locks/{name}.amd64.lock").write_text(lock_text(name, "1"))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Begin")
    git(root, "push", "--quiet", str(forge.project.root), "main")
    return stage
