"""What apt would install: its own answer to a simulated installation, in a root of its own."""

import difflib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gitops.debian.answers import question, recall, remember
from gitops.debian.indexes import Indexes
from gitops.debian.packages import Package
from gitops.debian.private import as_installed, private_root, state
from gitops.debian.sources import Pin
from gitops.system.errors import Problem, UserError
from gitops.system.run import Result, run

_ACTION = re.compile(r"^(Inst|Remv) ([^\s:]+)\S* (?:\[(\S+)\] ?)?(?:\((\S+) .*?\[(\S+)\]\))?", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]")
_CHATTER = (
    *("Reading ", "Building ", "Solving ", "Note, ", "Some packages could not", "requested an impossible"),
    *("distribution that some", "or been moved", "The following information"),
)


def resolve(
    indexes: Indexes,
    requested: Sequence[str],
    *,
    base: bool,
    installed: Sequence[str] = (),
    recommends: bool = False,
    pins: Sequence[Pin] = (),
    root: Path,
) -> list[Package]:
    """Ask apt what must be installed to have the requested packages.

    Args:
        indexes: what there is.
        requested: names of packages.
        base: from nothing: Essential packages and apt itself are requested too.
        installed: control stanzas of the packages that are there already, which stay as they are.
        recommends: also install what is recommended.
        pins: preferences between versions.
        root: directory for apt's caches and its answers, which are kept; several processes may share it.

    Returns:
        The packages to add, sorted.

    Raises:
        UserError: a package does not exist, cannot be installed, or would change one that is installed.
    """
    names = sorted({*requested, *(("apt", *indexes.essential()) if base else ())})
    _refuse_missing(names, indexes)
    if not names:
        return []
    asked = question(state(indexes, pins), names, installed, recommends)
    known = recall(root / "answers", asked, indexes)
    if known is None:
        known = _chosen(_simulate(indexes, names, installed, pins, root, recommends=recommends), indexes)
        remember(root / "answers", asked, known)
    return known


def _simulate(
    indexes: Indexes,
    names: Sequence[str],
    installed: Sequence[str],
    pins: Sequence[Pin],
    root: Path,
    *,
    recommends: bool,
) -> str:
    private = private_root(indexes, pins, root)
    with tempfile.TemporaryDirectory(prefix="gitops-apt-") as own:
        status = Path(own) / "status"
        status.write_text("".join(as_installed(stanza) for stanza in installed))
        options = [
            f"-oDir::State::status={status}",
            f"-oDir::State::extended_states={own}/extended_states",
            f"-oAPT::Install-Recommends={str(recommends).lower()}",
        ]
        answer = run(
            ["apt-get", "install", "--simulate", "--quiet", "--no-upgrade", *options, "--", *names],
            env={"APT_CONFIG": str(private / "apt.conf")},
            check=False,
        )
    if answer.status != 0:
        raise _complaint(answer, indexes)
    return answer.stdout


def _chosen(simulation: str, indexes: Indexes) -> list[Package]:
    chosen: list[Package] = []
    problems: list[Problem] = []
    for action, name, old, new, architecture in _ACTION.findall(simulation):
        if action == "Remv" or old:
            change = f"{old} to become {new}" if action == "Inst" else f"{old} to be removed"
            problems.append(
                Problem(
                    message=f"what is requested needs {name} {change}, but that is the parent's",
                    hint="lock the parent anew so that it moves on, or leave out what conflicts with it",
                )
            )
            continue
        package = indexes.find(name, new, architecture)
        if package is None:
            raise AssertionError(f"apt chose {name} {new} {architecture}, which is in no index")
        chosen.append(package)
    if problems:
        raise UserError.of(problems)
    return sorted(chosen)


def _refuse_missing(names: Sequence[str], indexes: Indexes) -> None:
    """Refuse names before apt sees them, which takes `name-`, `name+` and patterns for other wishes."""
    problems = []
    for name in names:
        if name in indexes or (
            _NAME.fullmatch(name) and any(index.packages.provides(name) for index in indexes.lists)
        ):
            continue
        near = difflib.get_close_matches(name, indexes.names(), n=3, cutoff=0.7)
        problems.append(
            Problem(
                message=f"there is no package {name} for {indexes.architecture} in {_suites(indexes)}",
                hint=f"did you mean {' or '.join(near)}?" if near else "",
            )
        )
    if problems:
        raise UserError.of(problems)


def _complaint(answer: Result, indexes: Indexes) -> UserError:
    errors = [line.partition(" ")[2] for line in answer.stderr.splitlines() if line.startswith("E: ")]
    reasons = [line for line in answer.stdout.splitlines() if line.strip() and not line.startswith(_CHATTER)]
    return UserError(
        f"apt finds no way to install this on {indexes.architecture} from {_suites(indexes)}: "
        + "; ".join(errors or [f"exit status {answer.status}"]),
        hint="\n  ".join(reasons or answer.stderr.splitlines()[-5:]),
    )


def _suites(indexes: Indexes) -> str:
    return ", ".join(dict.fromkeys(f"{source.archive}/{source.suite}" for source in indexes.sources))
