"""Every check, and how all of them are done side by side, each for a bounded time."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from queue import Empty, Queue
from time import monotonic

from gitops.doctor.finding import Finding, problem, problems
from gitops.doctor.machine import Machine
from gitops.system.errors import UserError

CHECKS: Mapping[str, str] = {
    "fleet": "gitops.doctor.fleet",
    "engine": "gitops.doctor.engine",
    "programs": "gitops.doctor.programs",
    "archives": "gitops.doctor.archives",
    "backups": "gitops.doctor.backups",
    "secrets": "gitops.doctor.secrets",
    "scheduler": "gitops.doctor.scheduler",
    "space": "gitops.doctor.space",
    "rights": "gitops.doctor.rights",
    "git": "gitops.doctor.git",
    "forge": "gitops.doctor.forge",
    "registry": "gitops.doctor.registry",
    "agent": "gitops.doctor.agent",
}
"""Each subject's module; its function `check` takes a Machine and yields findings, or raises UserError."""

PATIENCE = 15.0
"""Seconds that a check may take."""


Told = Queue[tuple[str, Finding | Exception | None]]


def examine(
    machine: Machine, checks: Mapping[str, str] = CHECKS, patience: float = PATIENCE
) -> list[tuple[str, Finding]]:
    """Do every check, side by side.

    Args:
        machine: what is looked at.
        checks: subjects and modules, as in `CHECKS`.
        patience: seconds that each check may take; what it found until then counts.

    Returns:
        Subjects and findings, in the order of the checks.
    """
    told: Told = Queue()
    for subject, module in checks.items():
        # Daemons, because the program does not wait at its end for one that still hangs somewhere.
        threading.Thread(target=_one, args=(subject, module, machine, told), daemon=True).start()
    found: dict[str, list[Finding]] = {subject: [] for subject in checks}
    waiting, end = set(checks), monotonic() + patience
    while waiting:
        try:
            subject, finding = told.get(timeout=max(0, end - monotonic()))
        except Empty:
            break
        if finding is None:
            waiting.discard(subject)
        elif isinstance(finding, Exception):
            raise finding
        else:
            found[subject].append(finding)
    for subject in waiting:
        late = problem(f"no answer within {patience:g} s", "run it again; something here hangs")
        found[subject].append(late)
    return [(subject, finding) for subject in checks for finding in found[subject]]


def _one(subject: str, module: str, machine: Machine, told: Told) -> None:
    try:
        for finding in _found(import_module(module).check(machine)):
            told.put((subject, finding))
        told.put((subject, None))
    except Exception as error:  # noqa: BLE001 - a bug, which shows as one in the thread that waits
        told.put((subject, error))


def _found(findings: Iterable[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except UserError as error:
        yield from problems(error)
