"""The agent of this host: its settings, the servers that it follows, and its newest look."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from gitops.agent.install import UNIT
from gitops.agent.settings import FILE, read_settings, upstreams
from gitops.agent.ticked import last
from gitops.doctor.finding import Finding, ok, problem, warning
from gitops.doctor.machine import Machine
from gitops.system.clock import local, moment, now
from gitops.system.errors import UserError
from gitops.system.run import run

_PATIENCE = 10
_LATE = 10
"""How many of its pauses an agent may be silent."""


def check(machine: Machine) -> Iterator[Finding]:
    """Read its settings, ask every server for the branch, and look at when it looked."""
    if not machine.has_agent:
        return
    settings = read_settings(machine.places)
    yield ok(f"{machine.places.config / FILE}: this is {settings.host}, and follows {settings.branch}")
    with TemporaryDirectory() as directory:
        run(["git", "init", "--quiet", "--bare", directory], timeout=_PATIENCE)
        for upstream in upstreams(settings, machine.places):
            try:
                found = upstream.ask(
                    Path(directory), "ls-remote", upstream.url, f"refs/heads/{upstream.branch}"
                )
            except UserError as error:
                yield problem(f"{upstream.url}: {error}", "see the remotes of agent.yaml")
                continue
            if found.stdout:
                yield ok(f"{upstream.url} answers")
            else:
                yield problem(f"{upstream.url} has no branch {upstream.branch}", "see branch in agent.yaml")
    needed = {
        "ssh-keygen": ("openssh-client", settings.trust.signers),
        "gpg": ("gnupg", settings.trust.keyring),
    }
    for name, (package, keys) in needed.items():
        if keys and not which(name):
            yield problem(
                f"{name} is not here: without it no signature can be checked", f"apt install {package}"
            )
    by_cron = (machine.places.cron / "gitops-agent").exists()
    tick = last(machine.places)
    silent = max(timedelta(seconds=_LATE * settings.poll), timedelta(minutes=5))
    if tick is None:
        advice = "cron makes it look every minute: does cron run?" if by_cron else f"systemctl start {UNIT}"
        yield warning("the agent has not looked since this machine was started", advice)
    elif now() - moment(tick.time) > silent:
        advice = "does cron run?" if by_cron else f"systemctl status {UNIT}; journalctl --unit {UNIT}"
        yield problem(f"the agent has been silent since {local(moment(tick.time))}", advice)
    elif not tick.good:
        yield problem(f"the agent's newest look: {tick}", "gitops status")
    else:
        yield ok("the agent's newest look went well")
