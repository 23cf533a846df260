"""Reading a git repository: its head, what differs from it, a file or the whole tree at a commit.

The program `git` itself is asked (4 ms a question): the agent asks at every tick, and a library takes longer
to import than git to answer.
"""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.run import Result, run


@dataclass(frozen=True)
class Commit:
    """A commit.

    Args:
        identity: its 40 (SHA-256 repositories: 64) hexadecimal digits.
        committer: `Name <address>` of who made it what it is; who amends or rebases a commit takes this over.
        subject: the first line of its message.
    """

    identity: str
    committer: str
    subject: str


@dataclass(frozen=True)
class Repository:
    """A git repository seen from one directory of it; every path is relative to that directory.

    Args:
        root: the fleet's directory: the top of a work tree, or a directory inside one.
    """

    root: Path

    @cached_property
    def directory(self) -> Path:
        """Give the repository's own directory, `.git` mostly.

        Raises:
            UserError: the root is in no git repository, or git does not trust it (`safe.directory`).
        """
        result = self.git("rev-parse", "--absolute-git-dir", check=False)
        if result.status != 0:
            reason = result.stderr.strip().partition("\n")[0]
            raise UserError(
                f"{self.root} cannot be read as a git repository: {reason}",
                hint="a fleet is a git repository; make it one with: git init && git add . && git commit",
            )
        return Path(result.stdout.rstrip("\n"))

    @cached_property
    def prefix(self) -> str:
        """Give where the root is in the repository: `fleet/`, or nothing at its top."""
        return self._read("rev-parse", "--show-prefix").rstrip("\n")

    def head(self) -> str:
        """Give the commit that is checked out.

        Raises:
            UserError: there is none yet.
        """
        return self.commit("HEAD")

    def commit(self, revision: str) -> str:
        """Give the commit that a branch, tag or abbreviation names.

        Raises:
            UserError: it names none.
        """
        found = self.find(revision)
        if found is None:
            hint = "commit the fleet first: git add . && git commit" if revision == "HEAD" else ""
            raise UserError(f"{self.root} has no commit {revision!r}", hint=hint)
        return found

    def find(self, revision: str) -> str | None:
        """Give the commit that a revision names, or None where it names none."""
        result = self.git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False
        )
        if result.status == 0 and re.fullmatch(r"[0-9a-f]{40,64}", text := result.stdout.strip()):
            return text
        _ = self.directory  # no repository at all has its own message
        return None

    def dirty(self) -> tuple[str, ...]:
        """Give the files below the root that HEAD has otherwise or not at all, but not the ignored ones."""
        text = self._read(
            "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--", "."
        )
        paths = (entry[3:] for entry in text.split("\0") if entry)
        return tuple(sorted(path.removeprefix(self.prefix) for path in paths))

    def file_at(self, revision: str, path: str) -> str | None:
        """Give the text of a file at a revision, or None where it had no such file.

        Raises:
            UserError: there is no such revision.
        """
        name = f"{self.commit(revision)}:{self.prefix}{path}"
        result = self.git("cat-file", "blob", name, check=False)
        return result.stdout if result.status == 0 else None

    def describe(self, revision: str) -> Commit:
        """Give what a commit says of itself.

        Raises:
            UserError: there is no such revision.
        """
        form = ("--no-show-signature", "--format=%H%x00%cn <%ce>%x00%s")
        text = self._read("log", "-1", *form, "--end-of-options", self.commit(revision), "--")
        return Commit(*text.rstrip("\n").split("\0"))

    def contains(self, revision: str, ancestor: str) -> bool:
        """Tell whether a revision has another one in its history, or is that one.

        A shallow clone knows no more than it has: what it does not know to be an ancestor counts as none.

        Raises:
            UserError: one of them does not exist.
        """
        commits = (self.commit(ancestor), self.commit(revision))
        return self.git("merge-base", "--is-ancestor", *commits, check=False).status == 0

    def checked_out(self, branch: str) -> Path | None:
        """Give the work tree that has a branch checked out, or None."""
        for block in self._read("worktree", "list", "--porcelain", "-z").split("\0\0"):
            fields = dict(line.partition(" ")[::2] for line in block.split("\0"))
            if fields.get("branch") == f"refs/heads/{branch}":
                return Path(fields["worktree"])
        return None

    def export(self, revision: str, directory: Path) -> None:
        """Write the root's files as a revision has them into a directory, as a checkout would.

        The user's index and work tree are not touched; symbolic links and executable bits are kept.

        Args:
            revision: what to write.
            directory: where to; made where it is missing.
        """
        self.write(f"{self.commit(revision)}:{self.prefix}", directory)

    def write(self, tree: str, directory: Path) -> None:
        """Write a tree's files into a directory, as `export` does; for who knows the tree alone.

        git refuses paths that leave the directory, and never writes through a link.

        Raises:
            CommandError: git cannot.
        """
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="gitops-index-") as temporary:
            env = {"GIT_INDEX_FILE": str(Path(temporary) / "index")}
            # The index is thrown away, so no disk need be waited for.
            git = ["git", "-c", "core.fsync=none", f"--git-dir={self.directory}"]
            git.append(f"--work-tree={directory.absolute()}")
            run([*git, "read-tree", tree], env=env, cwd=directory)
            run([*git, "checkout-index", "--all", "--force"], env=env, cwd=directory)

    def git(
        self,
        *args: str,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Run git in the root; what the arguments besides its own mean, `gitops.system.run.run` says."""
        words = ["git", "--no-optional-locks", "-C", str(self.root), *args]
        return run(words, check=check, env=env, stdin=stdin, timeout=timeout)

    def _read(self, *args: str) -> str:
        _ = self.directory
        return self.git(*args).stdout
