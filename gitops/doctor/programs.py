"""The programs that gitops runs: whether they are there, and new enough."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine
from gitops.system.run import CommandError, run

_PATIENCE = 10


@dataclass(frozen=True)
class Program:
    """A program.

    Args:
        asked: the command that tells its version.
        package: Debian's package of it.
        wanted: what there is not without it.
        oldest: the first version that will do, as numbers.
        always: whether nothing works without it.
    """

    asked: tuple[str, ...]
    package: str
    wanted: str
    oldest: tuple[int, ...] = ()
    always: bool = True


_PROGRAMS = (
    Program(("git", "--version"), "git", "fleets", (2, 30)),
    Program(("apt-get", "--version"), "apt", "locks"),
    Program(("gpgv", "--version"), "gpgv", "archives"),
    Program(("mmdebstrap", "--version"), "mmdebstrap", "base images"),
    Program(("restic", "version"), "restic", "backups", (0, 14), always=False),
    Program(("age", "--version"), "age", "secrets", always=False),
)


def check(machine: Machine) -> Iterator[Finding]:
    """Ask each program for its version."""
    found = [_version(program) for program in _PROGRAMS]
    present = [
        f"{program.asked[0]} {version}" for program, version in zip(_PROGRAMS, found, strict=True) if version
    ]
    if present:
        yield ok(", ".join(present))
    for program, version in zip(_PROGRAMS, found, strict=True):
        name, advice = program.asked[0], f"apt install {program.package}"
        if version is None and (program.always or _needed(program, machine)):
            yield problem(f"{name} is not here: without it there are no {program.wanted}", advice)
        elif version is None:
            yield warning(f"{name} is not here: without it there can be no {program.wanted}", advice)
        elif program.oldest and _numbers(version) < program.oldest:
            least = ".".join(map(str, program.oldest))
            yield problem(f"{name} is version {version}, and {program.wanted} need {least} or newer", advice)


def _needed(program: Program, machine: Machine) -> bool:
    """Tell whether this machine, as the host that it is, cannot do without a program that others can."""
    if machine.fleet is None or machine.host is None:
        return False
    if program.wanted == "secrets":
        return bool(machine.fleet.secrets)
    return machine.fleet.hosts[machine.host].backup is not None


def _version(program: Program) -> str | None:
    """Give a program's version; None: it is not here, and "?": it does not say."""
    try:
        told = run(program.asked, check=False, timeout=_PATIENCE)
    except CommandError:
        return None
    found = re.search(r"\d+(\.\d+)+", told.stdout + told.stderr)
    return found.group() if found else "?"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
