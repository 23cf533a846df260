"""Before a commit: whether the fleets in what is staged hold together."""

from gitops.git.isolation import isolated
from gitops.git.listing import objects
from gitops.git.repository import Repository
from gitops.guard.examine import OBJECTS, Judge, examine, prepare
from gitops.guard.fleets import fleets
from gitops.guard.settings import read_settings
from gitops.system.errors import Problem, UserError


def judge_staged(repository: Repository, judge: Judge) -> list[Problem]:
    """Judge what would be committed, and nothing of the work tree; the index is the one that git names.

    A fleet that this commit leaves as it is, while it changes something else, is not looked at.

    Args:
        repository: a work tree.
        judge: what judges a fleet.

    Raises:
        UserError: what is staged is no tree yet, amid a merge say; or a setting means nothing.
    """
    prepare(repository)
    settings = read_settings(repository)
    written = repository.git("write-tree", check=False)
    if written.status != 0:
        raise UserError("what is staged cannot be committed", hint=written.stderr.strip())
    tree = written.stdout.strip()
    with isolated(kept=OBJECTS):
        found = fleets(repository, tree, settings.paths)
        before = objects(repository, ["HEAD^{tree}", *(f"HEAD:{path}" for path in found)])
        elsewhere = before.get("HEAD^{tree}") not in {None, ("tree", tree)}
        problems = []
        for path, fleet in found.items():
            if not (elsewhere and before.get(f"HEAD:{path}") == ("tree", fleet)):
                problems += examine(repository, fleet, path, judge)
    return problems
