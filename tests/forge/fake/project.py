"""What a forge keeps of one project: a bare git repository, its pull requests, what pipelines said."""

from dataclasses import dataclass, field
from pathlib import Path

from gitops.forge.pull_request import State
from gitops.system.run import run

OWNER, NAME = "team", "fleet"
PATH = f"{OWNER}/{NAME}"


class RefusedError(Exception):
    """The forge says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Pull:
    """A pull request as the forge keeps it; one from a fork has a branch that is not in this repository."""

    number: int
    branch: str
    base: str
    title: str
    body: str
    head: str
    state: State = "open"
    fork: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


@dataclass
class Project:
    """The project, and what people do with it.

    Args:
        root: the bare repository.
        closes_when_deleted: a pull request whose branch goes is closed (GitLab leaves it open).
        notices_landing: one whose commits are in the base by now is merged (Forgejo leaves it open).
    """

    root: Path
    closes_when_deleted: bool = True
    notices_landing: bool = True
    people: tuple[str, ...] = ("ada", "bob")
    pulls: list[Pull] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    checks: dict[str, dict[str, str]] = field(default_factory=dict)

    def git(self, *args: str) -> str:
        """Run git in the bare repository, and give what it says."""
        person = ("-c", "user.name=forge", "-c", "user.email=forge@example.org")
        return run(["git", "-C", self.root, *person, *args]).stdout.strip()

    def tip(self, branch: str) -> str | None:
        """Give the commit of a branch."""
        found = run(
            ["git", "-C", self.root, "rev-parse", "--verify", "-q", f"refs/heads/{branch}"], check=False
        )
        return found.stdout.strip() or None

    def pull(self, number: int) -> Pull:
        """Give a pull request by its number."""
        for pull in self.pulls:
            if pull.number == number:
                return pull
        raise RefusedError(404, "Not Found")

    def look(self) -> None:
        """Notice what was pushed since the last time, as forges do on every push."""
        for pull in self.pulls:
            if pull.state != "open" or pull.fork:
                continue
            tip = self.tip(pull.branch)
            if tip is None:
                pull.state = "closed" if self.closes_when_deleted else pull.state
                continue
            pull.head = tip
            if self.notices_landing and self._contains(pull.base, tip):
                pull.state = "merged"

    def open(self, *, branch: str, base: str, title: str, body: str) -> Pull:
        """Open a pull request; RefusedError with 409 when one of the same branch and base is open."""
        head, onto = self.tip(branch), self.tip(base)
        if head is None or onto is None:
            raise RefusedError(422, f"{branch if head is None else base} does not exist")
        for pull in self.pulls:
            if (pull.branch, pull.base, pull.state, pull.fork) == (branch, base, "open", False):
                raise RefusedError(409, f"already exists: {pull.number}")
        if self._contains(base, head):
            raise RefusedError(422, f"No commits between {base} and {branch}")
        return self._add(Pull(self._next(), branch, base, title, body, head))

    def open_from_fork(self, branch: str, base: str = "main") -> Pull:
        """Open one as a stranger does: from a fork of theirs, whose branch has a name like ours."""
        head = self.tip(branch) or self.tip(base) or ""
        return self._add(Pull(self._next(), branch, base, "From a fork", "", head, fork=True))

    def merge(self, number: int, commit: str | None = None) -> None:
        """Merge one, if its head is this commit, with a merge commit."""
        pull = self.pull(number)
        if pull.state != "open":
            raise RefusedError(405, "Pull Request is not mergeable")
        if commit not in {None, pull.head}:
            raise RefusedError(409, "Head branch was modified. Review and try the merge again.")
        onto = self.git("rev-parse", pull.base)
        tree = self.git("merge-tree", "--write-tree", onto, pull.head)
        merged = self.git("commit-tree", "-p", onto, "-p", pull.head, "-m", f"Merge #{number}", tree)
        self.git("update-ref", f"refs/heads/{pull.base}", merged, onto)
        pull.state = "merged"

    def comments(self, number: int) -> list[tuple[int, str]]:
        """Give the comments of a pull request, each with a number of its own in the project."""
        return [(number * 1000 + at, text) for at, text in enumerate(self.pull(number).comments)]

    def rewrite(self, comment: int, text: str) -> None:
        """Write a comment anew."""
        number, at = divmod(comment, 1000)
        self.pull(number).comments[at] = text

    def close(self, number: int) -> None:
        """Close one, as a person does."""
        self.pull(number).state = "closed"

    def check(self, commit: str, name: str, state: str) -> None:
        """Let a pipeline say `in_progress`, `success` or `failure` of a commit; `name` is its name."""
        self.checks.setdefault(commit, {})[name] = state

    def ask_for_review(self, number: int, reviewers: list[str]) -> None:
        """Ask people who are members."""
        for person in reviewers:
            if person not in self.people:
                raise RefusedError(422, f"{person} is no collaborator of this project")
        pull = self.pull(number)
        pull.reviewers = list(dict.fromkeys([*pull.reviewers, *reviewers]))

    def _next(self) -> int:
        return len(self.pulls) + 1

    def _add(self, pull: Pull) -> Pull:
        self.pulls.append(pull)
        return pull

    def _contains(self, branch: str, commit: str) -> bool:
        args: list[str | Path] = [
            "git",
            "-C",
            self.root,
            "merge-base",
            "--is-ancestor",
            commit,
            f"refs/heads/{branch}",
        ]
        return run(args, check=False).status == 0
