"""Which images anybody may still want: by branches, tags, generations to go back to, and what hosts run.

An identity follows from git alone, so what a commit needs is worked out from that commit; only what hosts run
is also asked of their reports.
"""

import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gitops.agent.reported import fetch
from gitops.deploy.host import wanted_of
from gitops.fleet.fleet import Fleet
from gitops.fleet.load import load
from gitops.git.repository import Repository
from gitops.images.identity import identities
from gitops.images.locks import read_locks
from gitops.render.recipe import recipe
from gitops.system.errors import UserError
from gitops.system.places import Places

_DECIDING = ("fleet.yaml", "images", "locks", "templates")
"""What of a commit decides its images' identities."""

_REMOTE = "origin"
_NOWHERE = "couldn't find remote ref"
_IDENTITY = re.compile(r":([0-9a-f]{32})$")


@dataclass
class Needed:
    """What is needed.

    Args:
        images: identity to the image's name and the first reason found.
        notes: what is worth knowing about what was looked at.
        gaps: what could not be looked at, so that nothing may be removed.
    """

    images: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def names(self) -> set[str]:
        """Give the names of all images."""
        return {image for image, _ in self.images.values()}


def needed(
    root: Path, generations: int, places: Places, tell: Callable[[str], None] = lambda _line: None
) -> Needed:
    """Work out what is needed.

    Args:
        root: the fleet, in a whole clone that knows all that its server has.
        generations: how many commits of each branch, and of what each host runs, count.
        places: this machine's directories.
        tell: says what is being looked at.

    Raises:
        UserError: the clone is not whole, or lacks commits that its server has.
    """
    search = _Search(Repository(root), Needed(), tell)
    fleet = load(root)
    search.whole()
    reports = {f"branch {one.report.branch}/" for one in fleet.hosts.values() if one.report}
    for name, tip in search.tips(tuple(reports)).items():
        kept = generations if name.startswith("branch") else 1
        for number, commit in enumerate(search.line(tip, kept)):
            search.commit(commit, f"{name}, {number} back" if number else name)
    for host, definition in fleet.hosts.items():
        if definition.report is None:
            search.found.notes.append(
                f"{host} does not report: what it runs is kept where the last {generations} commits need it"
            )
        else:
            search.host(fleet, host, generations, places)
    return search.found


@dataclass
class _Search:
    """One look through a repository."""

    git: Repository
    found: Needed
    tell: Callable[[str], None]
    _seen: set[str] = field(default_factory=set)

    def whole(self) -> None:
        """Refuse a clone that does not have all there is."""
        if self.git.git("rev-parse", "--is-shallow-repository").stdout.strip() == "true":
            raise UserError(
                "this clone is shallow, so that what older commits need is not known",
                hint="git fetch --unshallow",
            )

    def tips(self, reports: tuple[str, ...]) -> dict[str, str]:
        """Give the commit of every branch and tag, here and on the server, by its name for people.

        Args:
            reports: how branches begin that hold hosts' reports, and no fleet.

        Raises:
            UserError: the server has some that are not here.
        """
        form = "%(objectname) %(refname)"
        here = self.git.git(
            "for-each-ref", f"--format={form}", "refs/heads", "refs/remotes", "refs/tags"
        ).stdout
        lines = [line.split(" ", 1) for line in here.splitlines()]
        if _REMOTE in self.git.git("remote").stdout.split():
            there = self.git.git("ls-remote", "--heads", "--tags", _REMOTE).stdout
            lines += [line.split("\t", 1) for line in there.splitlines() if not line.endswith("^{}")]
        names: dict[str, str] = {}
        for identity, reference in lines:
            if _called(reference).startswith(reports):
                continue
            if commit := self.git.find(identity):
                names.setdefault(_called(reference), commit)
                if names[_called(reference)] != commit:
                    names[f"{_called(reference)} on {_REMOTE}"] = commit
            elif self.git.git("cat-file", "-e", identity, check=False).status != 0:
                raise UserError(
                    f"{_called(reference)} is not here as {_REMOTE} has it",
                    hint=f"git fetch --prune --tags {_REMOTE}",
                )
        return names

    def line(self, commit: str, count: int) -> list[str]:
        """Give a commit and those before it, as branches go (first parents)."""
        return self.git.git("rev-list", "--first-parent", f"--max-count={count}", commit).stdout.split()

    def commit(self, commit: str, why: str) -> bool:
        """Add what a commit needs; tell whether it could be read."""
        tree = f"{commit}:{self.git.prefix}"
        deciding = self.git.git("ls-tree", tree, *_DECIDING, check=False).stdout
        if "\tfleet.yaml" not in deciding or deciding in self._seen:
            return True  # a host's report, say; or nothing that decides an image has changed
        self._seen.add(deciding)
        self.tell(f"looking at {commit[:12]}, {why}")
        with tempfile.TemporaryDirectory(prefix="gitops-needed-") as directory:
            root = Path(directory)
            try:
                self.git.export(commit, root)
                fleet = load(root)
                for (image, _), identity in identities(fleet, read_locks(fleet), recipe(root)).items():
                    self.found.images.setdefault(identity, (image, why))
            except UserError as error:
                self.found.notes.append(
                    f"{why} ({commit[:12]}) has no images that could be built: {_first(error)}"
                )
                return False
        return True

    def host(self, fleet: Fleet, host: str, generations: int, places: Places) -> None:
        """Add what a host runs, and may go back to, as it said itself."""
        try:
            told = fetch(self.git, wanted_of(fleet, host, places))
        except UserError as error:
            if _NOWHERE in str(error):
                self.found.notes.append(f"{host} has not reported yet")
            else:
                self.found.gaps.append(f"what {host} runs is not known: {_first(error)}")
            return
        why = f"{host} runs it, as it said at {told.time}"
        for reference in _references(one.image for one in told.engine.containers):
            self.found.images.setdefault(reference[1], (reference[0], why))
        if not told.generation:
            return
        if self.git.find(told.generation) is None:
            self.found.gaps.append(f"{host} runs {told.generation[:12]}, which is not here")
            return
        for number, commit in enumerate(self.line(told.generation, generations)):
            if not self.commit(commit, why if not number else f"{host} may go back to it") and not number:
                self.found.gaps.append(f"{host} runs {commit[:12]}, whose images cannot be worked out")


def _called(reference: str) -> str:
    """Name a reference for people; a branch on the server is the same as our note of it."""
    name = re.sub(rf"^refs/(heads|remotes/{_REMOTE})/", "branch ", reference)
    return re.sub(r"^refs/tags/", "tag ", name).removeprefix("refs/")


def _references(images: Iterable[str]) -> Iterable[tuple[str, str]]:
    for image in images:
        if found := _IDENTITY.search(image):
            yield image[: found.start()].rpartition("/")[2], found[1]


def _first(error: UserError) -> str:
    problem = error.problems[0]
    return f"{problem.file}: {problem.message}" if problem.file else problem.message
