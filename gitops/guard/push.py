"""Before a push is taken: what would become of the branches that only ever hold what can be deployed."""

from collections.abc import Iterable
from dataclasses import dataclass

from gitops.git.isolation import isolated
from gitops.git.repository import Repository
from gitops.git.signature import signer
from gitops.guard.examine import OBJECTS, Judge, examine, prepare
from gitops.guard.fleets import FILE, fleets
from gitops.guard.settings import Settings, read_settings
from gitops.system.errors import Problem, UserError


@dataclass(frozen=True)
class Move:
    """What a push does to one reference, as git tells pre-receive (githooks(5)).

    Args:
        before: the commit that it points to; None: it does not exist.
        after: the one that it is to point to; None: it is deleted.
        reference: its whole name.
    """

    before: str | None
    after: str | None
    reference: str


@dataclass(frozen=True)
class Refusal:
    """Why a branch may not move.

    Args:
        move: what was wanted.
        problems: everything that is wrong with it.
    """

    move: Move
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        """Give the branch, where it was to point, and a line or two for each problem."""
        branch = self.move.reference.removeprefix("refs/heads/")
        where = f" at {self.move.after[:12]}" if self.move.after else ""
        return "\n".join([f"{branch}{where} is refused:", *map(str, self.problems)])


def moves(lines: Iterable[str]) -> list[Move]:
    """Read what git gives pre-receive: a line `OLD NEW REFERENCE` for each."""
    found = []
    for line in lines:
        before, after, reference = line.rstrip("\n").split(" ", 2)
        found.append(Move(_commit(before), _commit(after), reference))
    return found


def judge_push(repository: Repository, wanted: Iterable[Move], judge: Judge) -> list[Refusal]:
    """Judge a push; branches that are not protected, tags and all else are let through.

    Of many commits the last is looked at: it is what would be deployed, and its signer vouches for those
    below.

    Args:
        repository: the one that is pushed to; no work tree is needed.
        wanted: what the push does.
        judge: what judges a fleet.

    Raises:
        UserError: a setting means nothing.
    """
    prepare(repository)
    settings = read_settings(repository)
    refusals = []
    with isolated(kept=OBJECTS):
        seen: dict[tuple[str | None, str | None], tuple[Problem, ...]] = {}
        for move in wanted:
            if not settings.protects(move.reference):
                continue
            key = move.before, move.after
            if key not in seen:
                seen[key] = tuple(_problems(repository, move, settings, judge))
            if seen[key]:
                refusals.append(Refusal(move, seen[key]))
    return refusals


def _problems(repository: Repository, move: Move, settings: Settings, judge: Judge) -> list[Problem]:
    if move.after is None:
        return [Problem(message="a protected branch is not deleted")]
    problems = _history(repository, move.before, move.after)
    if settings.signers or settings.keyring:
        try:
            signer(repository, move.after, settings.signers, settings.keyring)
        except UserError as error:
            problems += error.problems
    return problems + _content(repository, move.before, move.after, settings, judge)


def _history(repository: Repository, before: str | None, after: str) -> list[Problem]:
    if (
        before is None
        or repository.git("merge-base", "--is-ancestor", before, after, check=False).status == 0
    ):
        return []
    hint = "fetch, and rebase or merge; a protected branch only moves forward"
    return [Problem(message=f"does not stand on {before[:12]}, where the branch is", hint=hint)]


def _content(
    repository: Repository, before: str | None, after: str, settings: Settings, judge: Judge
) -> list[Problem]:
    """Judge the fleets that a commit changes; what it leaves as it is was judged when it came."""
    found = fleets(repository, after, settings.paths)
    then = fleets(repository, before, settings.paths) if before else {}
    problems = []
    for path, tree in found.items():
        if then.get(path) != tree:
            problems += examine(repository, tree, path, judge)
    # Without names, one of several may go, or move; the last one may not.
    gone = set(settings.paths or (() if found else then)) - found.keys()
    problems += [
        Problem(f"{path}/{FILE}" if path else FILE, message="is gone, and with it the fleet")
        for path in sorted(gone)
    ]
    return problems


def _commit(name: str) -> str | None:
    return name if name.strip("0") else None
