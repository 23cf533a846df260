"""What a host last said of itself, on a branch of the fleet's repository: for plans made far from it.

`BRANCH/HOST` has one commit without a parent, signed with the host's key, and in it `HOST.json`: containers
with the digests of their specifications, the generation, failures and the time. Each report replaces the one
before; nothing is merged, and hosts do not meet. No value of a secret or of a variable is in it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gitops.agent.outgoing import report_path, sent, unsent
from gitops.agent.ticked import Tick
from gitops.deploy.failures import Failure
from gitops.deploy.host import Wanted, look
from gitops.engine.docker import Docker
from gitops.engine.observed import Observed
from gitops.git.repository import Repository
from gitops.git.upstream import Upstream
from gitops.system.clock import now, stamp
from gitops.system.errors import UserError
from gitops.system.files import write
from gitops.system.places import Places

VERSION = 1

EVERY = timedelta(hours=1)
"""A report that is older is sent again: it says that the host still works."""


def prepare(wanted: Wanted, commit: str, engine: Docker, places: Places) -> None:
    """Write down what this host has now, into `STATE/report.json`, where it is to report and that is news."""
    settings = wanted.fleet.hosts[wanted.host].report
    if settings is None:
        return
    seen = look(engine, wanted, places)
    content = {
        "version": VERSION,
        "branch": settings.branch,
        "host": wanted.host,
        "generation": commit,
        "runtime": str(places.runtime),
        "containers": [_container(one) for one in seen.containers],
        "failures": [_failure(one) for one in seen.failures.values()],
    }
    path = report_path(places)
    before = json.loads(path.read_text()) if path.exists() else {}
    # Through JSON and back, which knows no tuples.
    if {**before, "time": ""} != {**json.loads(json.dumps(content)), "time": ""}:
        write(path, json.dumps({**content, "time": stamp(now())}, indent=1))


def _failure(one: Failure) -> dict[str, Any]:
    """Give a failure without what was said: that may be an application's own business."""
    return {name: value for name, value in asdict(one).items() if name != "said"}


def pulse(tick: Tick | None, places: Places, at: datetime) -> None:
    """Let the report be sent again once an hour, as a sign of life, when the agent has ticked since.

    Args:
        tick: the agent's newest.
        places: the host's directories.
        at: the present time.
    """
    path = report_path(places)
    if tick is None or not path.exists() or at - datetime.fromisoformat(tick.time) > EVERY:
        return
    told = json.loads(path.read_text())
    if at - datetime.fromisoformat(told["time"]) >= EVERY:
        write(path, json.dumps({**told, "time": stamp(at)}, indent=1))


def _container(one: Observed) -> dict[str, object]:
    # How long it has been so changes all the time, and only an exit status matters to a plan.
    status = f"{one.status.partition(')')[0]})" if one.state == "exited" else ""
    return {**vars(one), "digests": dict(one.digests), "created": stamp(one.created), "status": status}


def publish(git: Repository, upstreams: Sequence[Upstream], places: Places) -> str:
    """Push the newest report, unless it was pushed already; to the first server that takes it.

    Args:
        git: this host's own repository.
        upstreams: the servers, in the order of preference.
        places: the host's directories; `CONFIG/deploy.key` signs.

    Returns:
        What was done, or what was in the way; empty where there is nothing new to report.
    """
    if (text := unsent(places)) is None:
        return ""
    try:
        content = json.loads(text)
        host, reference = content["host"], f"refs/heads/{content['branch']}/{content['host']}"
    except (ValueError, KeyError):
        return ""
    failures = []
    try:
        commit = _commit(git, text, host, places.config / "deploy.key")
    except UserError as error:
        return f"not reported: {error}"
    for upstream in upstreams:
        try:
            upstream.ask(git.root, "push", "--quiet", "--force", upstream.url, f"{commit}:{reference}")
        except UserError as error:
            failures.append(str(error))
        else:
            sent(text, places)
            return f"reported to {reference.removeprefix('refs/heads/')}"
    return f"not reported: {failures[0]}" if failures else ""


def _commit(git: Repository, text: str, host: str, key: Path) -> str:
    """Make a commit of nothing but a report."""
    blob = git.git("hash-object", "-w", "--stdin", stdin=text.encode()).stdout.strip()
    tree = git.git("mktree", stdin=f"100644 blob {blob}\t{host}.json\n".encode()).stdout.strip()
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", host), ("EMAIL", f"{host}@gitops.invalid"))
    }
    signing = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={key}"] if key.is_file() else []
    sign = [f"--gpg-sign={key}"] if signing else []
    message = f"Report what {host} runs"
    return git.git(*signing, "commit-tree", *sign, "-m", message, tree, env=who).stdout.strip()
