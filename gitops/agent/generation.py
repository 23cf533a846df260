"""Which commit of the fleet a host runs: a copy of its own, so that work in the repository disturbs nothing.

`STATE/generations/COMMIT/` is the copy, `STATE/current` a symbolic link to the one that runs, `STATE/before`
to the one that ran before it, `STATE/host` the name of the host.
"""

import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from gitops.git.repository import Repository
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.places import VARIABLES, Places

BEFORE = "before"
"""Name of the link to the generation before."""

_SHOWN = 5
_ASSIGNMENT = re.compile(r"\s*(#|$|[A-Za-z_][A-Za-z0-9_]*\s*=)")
"""What is no entry of crontab(5): a comment, an empty line, a variable."""

_SYSTEM_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


@dataclass(frozen=True)
class Generation:
    """A commit of the fleet on a host.

    Args:
        commit: its hexadecimal digits.
        path: the fleet's files as that commit has them.
        host: the host that runs it.
    """

    commit: str
    path: Path
    host: str


def clean_head(git: Repository) -> str:
    """Give the commit that is checked out.

    Raises:
        UserError: files differ from it, so that what runs could not be told from git.
    """
    dirty = git.dirty()
    if dirty:
        more = f" and {len(dirty) - _SHOWN} more" if len(dirty) > _SHOWN else ""
        raise UserError(
            f"not committed: {', '.join(dirty[:_SHOWN])}{more}",
            hint="a host runs commits: git add . && git commit",
        )
    return git.head()


def check_out(git: Repository, commit: str, places: Places) -> Generation:
    """Copy a commit to where generations are, without making it the current one; once is enough.

    Args:
        git: the fleet's directory in its repository, which may be one without a work tree.
        commit: which one.
        places: the host's directories.
    """
    path = places.state / "generations" / commit
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-"))
        temporary.chmod(0o755)
        git.export(commit, temporary)
        temporary.rename(path)
    return Generation(commit, path, "")


def make_current(generation: Generation, host: str, places: Places) -> Generation:
    """Make a generation the host's current one in one step; the one before it is kept, older ones go."""
    link = places.state / "current"
    before = running(places)
    write(places.state / "host", f"{host}\n")
    if before != generation.commit:
        if before:
            _point(places.state / BEFORE, Path("generations", before))
        _point(link, generation.path.relative_to(places.state))
        _forget(generation.path.parent, {generation.commit, before})
    return replace(generation, host=host)


def adopt(repository: Path, host: str, places: Places) -> Generation:
    """Make the commit that is checked out this host's generation; raises as `clean_head` does."""
    git = Repository(repository)
    return make_current(check_out(git, clean_head(git), places), host, places)


def current(places: Places) -> Generation:
    """Give the generation that this host runs.

    Raises:
        UserError: it runs none yet.
    """
    try:
        path = (places.state / "current").resolve(strict=True)
        return Generation(path.name, path, (places.state / "host").read_text().strip())
    except FileNotFoundError as error:
        raise UserError("this host runs no fleet yet", hint="run gitops apply in the fleet first") from error


def running(places: Places) -> str:
    """Give the commit that this host runs; empty where it runs none yet."""
    link = places.state / "current"
    return link.readlink().name if link.is_symlink() else ""


def runs_here(host: str, places: Places) -> bool:
    """Tell whether this machine is a host, and not somebody's desk."""
    path = places.state / "host"
    return path.is_file() and path.read_text().strip() == host


def install_cron(manifest: str, fleet: str, places: Places) -> bool:
    """Give the host's cron its manifest, or take it away where nothing is scheduled.

    Cron starts its commands with nearly nothing in the environment (crontab(5)), so what this installation
    needs to find itself again goes before the first entry: PATH, and where its places are.

    Args:
        manifest: the lines for /etc/cron.d; empty when nothing is scheduled.
        fleet: name of the fleet, part of the file's name, of which cron takes letters, digits, - and _ alone.
        places: where the manifest goes.

    Returns:
        True when something changed.
    """
    path, text = places.cron / f"gitops-{fleet}", _installed(manifest)
    if not text:
        there = path.exists()
        path.unlink(missing_ok=True)
        return there
    return write(path, text)


def schedule_changes(manifest: str, fleet: str, places: Places) -> list[str]:
    """Say what `install_cron` would change: each entry that comes (`+ …`) or goes (`- …`), in order."""
    path = places.cron / f"gitops-{fleet}"
    before, after = path.read_text() if path.exists() else "", _installed(manifest)
    changed = [
        line
        for line in unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
        if line[:1] in "+-" and line[:3] not in {"+++", "---"} and not _ASSIGNMENT.match(line[1:])
    ]
    environment = ["its environment changes"] if before != after and before and after else []
    return [f"{line[0]} {line[1:]}" for line in changed] or environment


def _installed(manifest: str) -> str:
    """Give a manifest as cron gets it; nothing where nothing is scheduled."""
    lines = manifest.splitlines(keepends=True)
    first = next((number for number, line in enumerate(lines) if not _ASSIGNMENT.match(line)), None)
    if first is None:
        return ""
    header = [line for line in lines[:first] if not line.startswith("PATH=")]
    return "".join([*header, *cron_environment(), *lines[first:]])


def cron_environment() -> list[str]:
    """Give the lines that let cron's commands find this installation and its places."""
    directory = Path(sys.argv[0]).absolute().parent if Path(sys.argv[0]).name == "gitops" else None
    paths = [str(directory or Path(sys.executable).parent), *_SYSTEM_PATHS]
    variables = {"PATH": ":".join(dict.fromkeys(paths))}
    variables |= {
        name: value
        for name, value in sorted(os.environ.items())
        if name in {*VARIABLES, "DOCKER_HOST"} and "\n" not in value
    }
    return [f"{name}={value}\n" for name, value in variables.items()]


def _point(link: Path, target: Path) -> None:
    """Make a symbolic link, or move it, in one step."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


def _forget(generations: Path, kept: set[str]) -> None:
    for path in generations.iterdir():
        if path.name not in kept:
            shutil.rmtree(path)
