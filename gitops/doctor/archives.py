"""The fleet's archives: keyrings, whether they answer, who signed them; and the clock, against theirs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

from gitops.debian.fetch import client, get
from gitops.debian.mirrors import host_archives
from gitops.debian.release import verify
from gitops.debian.sources import Source
from gitops.doctor.finding import Finding, ok, problem, problems, warning
from gitops.doctor.machine import Machine
from gitops.images.archives import sources
from gitops.system.clock import now, stamp
from gitops.system.errors import UserError

_OK = 200
_OFF, _FAR_OFF = 30.0, 300.0
"""Seconds that a clock may differ; from the second on, what is signed may seem to come from the future."""

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def check(machine: Machine) -> Iterator[Finding]:
    """Fetch every suite's InRelease and verify it."""
    wanted = _sources(machine)
    if not wanted:
        yield warning("this machine's apt names no Debian mirror", "gitops init --mirror URL takes any")
    for keyring in sorted({source.keyring for source in wanted} or {_KEYRING}):
        if not keyring.is_file():
            advice = (
                "apt install debian-archive-keyring"
                if keyring == _KEYRING
                else "put the archive's keys there"
            )
            yield problem(f"the keyring {keyring} is not there", advice)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(_ask, wanted))
    for findings, _ in answers:
        yield from findings
    yield from _clock([differs for _, differs in answers if differs is not None])


def _sources(machine: Machine) -> list[Source]:
    """Give the fleet's sources; without a fleet, the one that a new fleet would begin with."""
    if machine.fleet:
        return sources(machine.fleet, machine.fleet.settings.archives)
    mirror = host_archives().debian
    return [Source("of this machine's apt", mirror, "trixie", ("main",), _KEYRING)] if mirror else []


def _ask(source: Source) -> tuple[list[Finding], float | None]:
    """Look at one suite; give what was found, and how many seconds this clock is ahead of the archive's."""
    name = f"{source.archive}: {source.suite}"
    try:
        with client() as mirror, get(mirror, f"{source.release}/InRelease") as answer:
            content, headers, status = answer.read(), answer.headers, answer.status_code
        if status != _OK:
            advice = "check the mirror and the suite in fleet.yaml"
            return [problem(f"{source.release}/InRelease: HTTP status {status}", advice)], None
        differs = _differs(headers.get("date", ""), headers.get("age", ""))
        if not source.keyring.is_file():
            return [], differs
        release = verify(content, source)
        release.check(source, now())
    except UserError as error:
        return problems(error), None
    return [ok(f"{name} answers, signed, of {stamp(release.date)}")], differs


def _differs(date: str, age: str) -> float | None:
    try:
        theirs = parsedate_to_datetime(date)
        return (now() - theirs).total_seconds() - float(age or 0)
    except (ValueError, TypeError):
        return None


def _clock(differences: list[float]) -> Iterator[Finding]:
    """Judge this machine's clock by the archive that agrees with it most."""
    if not differences:
        return
    differs = min(differences, key=abs)
    words = f"the clock is {abs(differs):.0f} s {'ahead of' if differs > 0 else 'behind'} the archive's"
    advice = "apt install systemd-timesyncd, or chrony"
    if abs(differs) > _FAR_OFF:
        yield problem(words, f"{advice}: signatures and certificates are judged by it")
    elif abs(differs) > _OFF:
        yield warning(words, advice)
    else:
        yield ok("the clock agrees with the archive's")
