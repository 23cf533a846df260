"""Reading what a host last said of itself; see `gitops.agent.report` for what and where that is."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gitops.agent.report import VERSION
from gitops.deploy.action import Result
from gitops.deploy.failures import Failure
from gitops.deploy.host import Wanted
from gitops.deploy.plan import Engine
from gitops.engine.observed import Observed
from gitops.fleet.hosts import Report
from gitops.git.repository import Repository
from gitops.system.errors import UserError

_KEPT = "refs/gitops/reports/"


@dataclass(frozen=True)
class Reported:
    """A host's report.

    Args:
        host: whose.
        generation: the commit that it ran.
        time: when it said so, RFC 3339 in UTC.
        runtime: the host's directory of that name, which its containers' secrets are in.
        engine: what it had; networks, volumes and images as far as containers show them.
        signed: whether the key that hosts/NAME.yaml names has signed it.
    """

    host: str
    generation: str
    time: str
    runtime: Path
    engine: Engine
    signed: bool = False

    def __str__(self) -> str:
        """Say in a line what a plan against it stands on."""
        signed = "signed by its key" if self.signed else "not signed by a key that hosts/ names"
        return f"as {self.host} said at {self.time}, running {self.generation[:12] or 'nothing'}; {signed}"


def fetch(git: Repository, wanted: Wanted, remote: str = "origin") -> Reported:
    """Fetch a host's newest report.

    Args:
        git: a clone of the fleet's repository.
        wanted: the host, as the definitions have it; its `report` says where, and whose key signs.
        remote: the clone's name for the server.

    Raises:
        UserError: there is none, it cannot be read, or it is not signed by the key that signs.
    """
    settings = wanted.fleet.hosts[wanted.host].report
    if settings is None:
        raise UserError(
            "does not report", file=f"hosts/{wanted.host}.yaml", hint="add: report: {branch: gitops/reports}"
        )
    branch = f"{settings.branch}/{wanted.host}"
    come = f"refs/gitops/come/{wanted.host}"
    git.git("fetch", "--quiet", "--no-tags", "--force", remote, f"refs/heads/{branch}:{come}")
    take(git, come, wanted.host, settings)
    found = kept(git, wanted.host, settings, frozenset(one.name for one in wanted.desired.volumes))
    if found is None:
        raise UserError(f"the branch {branch} has no report of {wanted.host}")
    return found


def take(git: Repository, come: str, host: str, settings: Report) -> None:
    """Keep a report that was fetched, as `refs/gitops/reports/HOST`, once its signature was found good.

    Raises:
        UserError: it is not signed by the key that signs.
    """
    if settings.key:
        _verify(git, come, host, settings.key)
    git.git("update-ref", _KEPT + host, come)


def kept(
    git: Repository, host: str, settings: Report, volumes: frozenset[str] = frozenset()
) -> Reported | None:
    """Give the newest report of a host that was fetched and kept; None where there is none.

    Args:
        git: the repository that has it.
        host: whose.
        settings: what hosts/HOST.yaml says of its reports.
        volumes: those that it is taken to have.

    Raises:
        UserError: it cannot be read.
    """
    # Not Repository.file_at: a report stands at the top of its commit, wherever the fleet is in its own.
    told = git.git("cat-file", "blob", f"{_KEPT}{host}:{host}.json", check=False)
    if told.status:
        return None
    found = _read(told.stdout, f"{settings.branch}/{host}", host, volumes)
    return replace(found, signed=settings.key is not None)


def _verify(git: Repository, commit: str, host: str, key: str) -> None:
    with TemporaryDirectory(prefix="gitops-signers-") as directory:
        signers = Path(directory) / "signers"
        signers.write_text(f'{host} namespaces="git" {" ".join(key.split()[:2])}\n')
        setting = ("-c", f"gpg.ssh.allowedSignersFile={signers}")
        if git.git(*setting, "verify-commit", commit, check=False).status != 0:
            raise UserError(
                f"the report of {host} is not signed by its key",
                file=f"hosts/{host}.yaml",
                hint="somebody else wrote it, or the host has another key: compare deploy.key.pub there",
            )


def _read(text: str, branch: str, host: str, volumes: frozenset[str]) -> Reported:
    """Read a report; whoever wrote it may have put anything into it."""
    try:
        told = json.loads(text)
        if not _printable(told):
            raise ValueError("it holds what no report holds")  # noqa: TRY301  # told as every fault below is
        if (told["version"], told["host"]) != (VERSION, host):
            raise ValueError("it is of another host or version")  # noqa: TRY301  # see above
        containers = tuple(map(_observed, told["containers"]))
        failures = {one["instance"]: _failure(one) for one in told["failures"]}
        seen = Engine(
            containers,
            frozenset((network, one.instance) for one in containers for network in one.networks),
            volumes,
            frozenset(one.image for one in containers),
            failures,
        )
        return Reported(host, told["generation"], told["time"], Path(told["runtime"]), seen)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"the branch {branch} has no report that can be read: {error}") from error


def _observed(told: dict[str, Any]) -> Observed:
    return Observed(
        **{
            **told,
            "created": datetime.fromisoformat(told["created"]),
            "networks": tuple(told["networks"]),
            "ports": tuple(map(tuple, told["ports"])),
        }
    )


def _failure(told: dict[str, Any]) -> Failure:
    return Failure(**{**told, "result": Result(told["result"]), "added": tuple(told["added"])})


def _printable(told: object) -> bool:
    """Tell whether every text in it can be shown on a terminal as it is."""
    if isinstance(told, dict):
        return all(map(_printable, told)) and all(map(_printable, told.values()))
    if isinstance(told, list):
        return all(map(_printable, told))
    return told.isprintable() if isinstance(told, str) else True
