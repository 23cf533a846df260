"""A host's own copy of the fleet's repository: it takes commits in, and keeps the one that was accepted.

It has no work tree. `refs/gitops/seen` is the commit that came last, `refs/gitops/accepted` the newest that
was found good. Only who holds the host's lock works here, and inside `isolated`.
"""

import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gitops.git.repository import Repository
from gitops.git.upstream import Upstream
from gitops.system.errors import UserError
from gitops.system.run import run

_SEEN = "refs/gitops/seen"
_ACCEPTED = "refs/gitops/accepted"
_NAME = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_LINE = re.compile(r"([0-9a-f]{40,64})\t(\S+)")
_LONGEST = 200  # characters of a commit's own words


@dataclass(frozen=True)
class Intake(Repository):
    """A repository that only takes in.

    Args:
        root: the repository; what it lacks can be fetched again.
        path: the fleet's directory in its commits; empty for their top.
    """

    path: str = ""

    @cached_property
    def prefix(self) -> str:
        """Give where the fleet is in a commit: `fleet/`, or nothing at its top."""
        return f"{self.path}/" if self.path else ""

    def prepare(self) -> None:
        """Make the repository where there is none, and take away what a git that was killed left locked."""
        if not _sound(self.root):
            self.root.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=self.root.parent, prefix=".repository-"))
            run(["git", "init", "--quiet", "--bare", "--template=", temporary])
            shutil.rmtree(self.root, ignore_errors=True)
            temporary.rename(self.root)
        for lock in (*self.root.glob("*.lock"), *(self.root / "refs").rglob("*.lock")):
            lock.unlink(missing_ok=True)

    def accepted(self) -> str | None:
        """Give the newest commit that was found good, or None."""
        with suppress(OSError):  # git has packed it
            if found := _NAME.fullmatch((self.root / _ACCEPTED).read_text().rstrip("\n")):
                return found[0]  # asked at every look, so without a process
        return self.find(_ACCEPTED)

    def accept(self, commit: str) -> None:
        """Keep a commit as the newest that was found good."""
        self.git("update-ref", _ACCEPTED, commit)

    def tip(self, upstream: Upstream) -> str:
        """Ask a server where its branch is.

        Raises:
            UserError: it cannot be asked, or has no such branch.
        """
        reference = f"refs/heads/{upstream.branch}"
        answer = upstream.ask(self.root, "ls-remote", "--quiet", "--", upstream.url, reference)
        for line in answer.stdout.splitlines():
            if (found := _LINE.fullmatch(line)) and found[2] == reference:
                return found[1]
        raise UserError(f"{upstream.url} has no branch {upstream.branch}")

    def fetch(self, upstream: Upstream) -> str:
        """Fetch a branch, with its history and nothing else.

        Returns:
            The commit that came, which may be a newer one than `tip` told.

        Raises:
            UserError: it cannot be fetched, or what came is not sound, or comes without its history.
        """
        self.git("update-ref", "-d", _SEEN)  # what came last must not pass for what comes now
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")
        wanted = ("--refmap=", "--no-write-fetch-head", "--", upstream.url)
        upstream.ask(self.root, "fetch", *options, *wanted, f"+refs/heads/{upstream.branch}:{_SEEN}")
        if (found := self.find(_SEEN)) is None:
            raise UserError(f"{upstream.url} is a shallow clone, which cannot show what its commits stand on")
        return found

    def wording(self, commit: str) -> str:
        """Give what a commit says of itself: one line without control characters."""
        said = self.describe(commit)
        text = f"{said.subject} ({said.committer})"
        return "".join(character for character in text if character.isprintable())[:_LONGEST]

    def tidy(self) -> None:
        """Let git pack what has come together, when it thinks that this is due."""
        self.git("gc", "--auto", "--quiet", check=False)


def _sound(repository: Path) -> bool:
    """Tell whether git would take a directory for a repository; after a power cut it may not."""
    head = repository / "HEAD"
    directories = (repository / "objects", repository / "refs")
    return head.is_file() and head.read_bytes().startswith(b"ref: ") and all(map(Path.is_dir, directories))
