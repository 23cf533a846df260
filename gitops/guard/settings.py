"""What a repository's owner decides about its hooks, in git's own configuration: `git config gitops.…`.

Nobody who pushes can change it. Every scope counts, so that a server can say once what holds for all of its
repositories.
"""

import difflib
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from gitops.git.repository import Repository
from gitops.system.errors import UserError

_KEYS = ("protected", "path", "signers", "keyring")
_OF_AGENTS = ("wake", "secret")
_OTHERS_MAY_WRITE = 0o022


@dataclass(frozen=True)
class Agent:
    """A host's agent that is woken after a push.

    Args:
        name: what the configuration calls it.
        url: where it listens.
        secret: file with the secret that it has too.
    """

    name: str
    url: str
    secret: Path


@dataclass(frozen=True)
class Settings:
    """What `git config` says.

    Args:
        protected: patterns of the names of branches that only ever hold what can be deployed.
        paths: the directories of fleets; empty: they are looked for.
        signers: file of ssh keys whose owners may sign; None: none may.
        keyring: file of OpenPGP keys likewise. With neither of them nobody need sign.
        agents: who is woken.
    """

    protected: tuple[str, ...]
    paths: tuple[str, ...] = ()
    signers: Path | None = None
    keyring: Path | None = None
    agents: tuple[Agent, ...] = ()

    def protects(self, reference: str) -> bool:
        """Tell whether a reference is a branch that is protected."""
        branch = reference.removeprefix("refs/heads/")
        return branch != reference and any(fnmatchcase(branch, pattern) for pattern in self.protected)


def read_settings(repository: Repository) -> Settings:
    """Read a repository's settings.

    Where it protects nothing by name, its own branch (HEAD) and `main`, which agents follow unless they are
    told otherwise, are.

    Raises:
        UserError: a key means nothing, or its value does not.
    """
    single: dict[str, list[str]] = {key: [] for key in _KEYS}
    agents: dict[str, dict[str, str]] = {}
    for key, value in _entries(repository):
        name, _, last = key.removeprefix("gitops.").rpartition(".")
        if name and last in _OF_AGENTS:
            agents.setdefault(name, {})[last] = value
        elif not name and last in single:
            single[last].append(value)
        else:
            known = [
                f"gitops.{each}" for each in (*_KEYS, *(f"{name or 'NAME'}.{one}" for one in _OF_AGENTS))
            ]
            close = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise UserError(f"git config: {key} means nothing", hint=hint)
    return Settings(
        protected=tuple(single["protected"]) or _own_branches(repository),
        paths=tuple(_path(value) for value in single["path"]),
        signers=_file(repository, single["signers"]),
        keyring=_file(repository, single["keyring"]),
        agents=tuple(_agent(repository, name, told) for name, told in sorted(agents.items())),
    )


def _entries(repository: Repository) -> list[tuple[str, str]]:
    text = repository.git("config", "--null", "--get-regexp", r"^gitops\.", check=False).stdout
    pairs = (entry.partition("\n") for entry in text.split("\0") if entry)
    return [(key, value) for key, _, value in pairs]


def _own_branches(repository: Repository) -> tuple[str, ...]:
    head = repository.git("symbolic-ref", "--quiet", "--short", "HEAD", check=False).stdout.strip()
    # No branch's name holds what would make it a pattern: git-check-ref-format(1).
    return tuple(dict.fromkeys(name for name in (head, "main") if name))


def _path(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or not value.isprintable():
        raise UserError(f"git config: gitops.path {value!r} is no directory inside the repository")
    return "" if str(path) == "." else str(path)


def _file(repository: Repository, values: list[str]) -> Path | None:
    """Give the file that is named last: absolute, below ~, or as from the repository's own directory.

    Raises:
        UserError: it cannot be read, which must not mean that nobody need sign; or others may change it.
    """
    if not values:
        return None
    path = repository.directory / Path(values[-1]).expanduser()
    if not os.access(path, os.R_OK) or not path.is_file():
        raise UserError("cannot be read", file=path, hint="git config names it; see docs/hooks.md")
    if path.stat().st_mode & _OTHERS_MAY_WRITE:
        raise UserError("can be changed by others; chmod go-w", file=path)
    return path


def _agent(repository: Repository, name: str, told: dict[str, str]) -> Agent:
    for key in _OF_AGENTS:
        if key not in told:
            raise UserError(f"git config: agent {name} has no gitops.{name}.{key}")
    if not told["wake"].startswith(("http://", "https://")):
        raise UserError(f"git config: gitops.{name}.wake {told['wake']!r} is no URL of http or https")
    return Agent(name, told["wake"], repository.directory / Path(told["secret"]).expanduser())
