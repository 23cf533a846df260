"""Where a repository's hooks are, and whether they may be put there."""

import os
from pathlib import Path

from gitops.git.repository import Repository
from gitops.system.errors import UserError


def hooks_directory(repository: Repository) -> Path:
    """Give the directory in which git looks for this repository's hooks: `core.hooksPath` counts.

    Raises:
        UserError: there is no repository, or that directory is every repository's.
    """
    _ = repository.directory
    told = repository.git("config", "--show-scope", "--get", "core.hooksPath", check=False).stdout
    scope, _, value = told.rstrip("\n").partition("\t")
    if scope in {"global", "system"}:
        raise UserError(
            f"core.hooksPath is {value} for every repository ({scope}), so the hooks would be theirs too",
            hint=f"give this one its own: git -C {repository.root} config core.hooksPath"
            f" {repository.directory / 'hooks'}",
        )
    found = repository.git("rev-parse", "--git-path", "hooks").stdout.rstrip("\n")
    return Path(os.path.normpath(repository.root.absolute() / found))


def is_bare(repository: Repository) -> bool:
    """Tell whether a repository has no work tree."""
    _ = repository.directory  # no repository at all has its own message
    return repository.git("rev-parse", "--is-bare-repository").stdout.strip() == "true"


def out_of_reach(program: Path, account: os.stat_result) -> Path | None:
    """Give what keeps an account from running a program, or None; asked by root for the git server's account.

    Args:
        program: absolute path.
        account: of what belongs to the account.
    """
    if os.geteuid() != 0 or account.st_uid == 0:
        return None
    for place in (*reversed(program.parents), program, program.resolve()):
        found = place.stat()
        shift = 6 if found.st_uid == account.st_uid else 3 if found.st_gid == account.st_gid else 0
        if not found.st_mode >> shift & 1:
            return place
    return None
