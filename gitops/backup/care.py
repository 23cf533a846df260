"""Care of a host's repository: its data are read again, and space that no backup needs is given back."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from gitops.backup.insisting import insist
from gitops.backup.refusals import MissingError
from gitops.backup.repository import gone, is_known
from gitops.backup.run import LOCK_WAIT, lock_path
from gitops.backup.vault import Vault
from gitops.fleet.backups import Keep
from gitops.fleet.fleet import Fleet
from gitops.report.history import Run, record, runs
from gitops.system.clock import now
from gitops.system.errors import UserError
from gitops.system.locks import exclusive
from gitops.system.places import Places

Tell = Callable[[str], object]

_READ = re.compile(r"part (\d+) of (\d+)")


def next_part(read: str, share: int) -> tuple[int, int] | None:
    """Say which part of the data is to be read now, so that in time all of them are.

    Args:
        read: what `check` said of the newest one that went well: `… part 3 of 20`; empty: there is none.
        share: percent of the data that are read at a time.

    Returns:
        Its number, from 1, and how many there are, as in restic's `--read-data-subset=N/T`; None where the
        data are not to be read.
    """
    if not share:
        return None
    parts = max(1, 100 // share)
    found = _READ.search(read)
    done = int(found[1]) * parts // int(found[2]) if found else 0
    return done % parts + 1, parts


def check(vault: Vault, share: int, places: Places, tell: Tell) -> None:
    """Let restic check the repository: all of its structure, and a part of its data, another one each time.

    Args:
        vault: whose repository.
        share: percent of the data that are read.
        places: where history and locks are.
        tell: is given a line for people at each step.

    Raises:
        UserError: it is damaged, or could not be checked.
    """
    with _care("check", vault, places) as said:
        good = [one for one in runs(places, kind="check", name=vault.restic.repository) if not one.status]
        part = next_part(next((one.detail for one in good if _READ.search(one.detail)), ""), share)
        which = f"part {part[0]} of {part[1]} of the data" if part else "no data"
        tell(f"checking {vault.restic.repository}, reading {which}")
        insist(lambda: vault.restic.check(part), vault.restic, tell)
        said.append(f"read {which}")


def prune(vault: Vault, fleet: Fleet, places: Places, tell: Tell) -> None:
    """Forget the sets of this host that need not stay, and what belongs to none; then give the space back.

    Args:
        vault: whose repository; what other hosts have in it stays.
        fleet: its definitions say which sets stay.
        places: where history and locks are.
        tell: is given a line for people at each step.

    Raises:
        UserError: the repository could not be changed; what was to stay is as it was.
    """
    with _care("prune", vault, places) as said:
        forgotten = insist(partial(_forget, vault, _keeping(fleet, vault.host)), vault.restic, tell)
        tell(f"{forgotten} runs are forgotten" if forgotten else "no run is to be forgotten")
        insist(vault.restic.prune, vault.restic, tell)
        said.append(f"{forgotten} runs forgotten")


def _forget(vault: Vault, keep: Callable[[str], Keep]) -> int:
    """Forget what need not stay; give how many runs that are. A try before may have done some."""
    manifests, parts = vault.stale(keep)
    vault.restic.forget(manifests)
    vault.restic.forget(parts)
    return len(manifests)


@contextmanager
def _care(kind: str, vault: Vault, places: Places) -> Iterator[list[str]]:
    """Keep this host's backups out meanwhile, and remember how it went: the block says in which words."""
    said: list[str] = []
    with exclusive(lock_path(places), "the backup repository of this host", wait=LOCK_WAIT):
        began, repository = now(), vault.restic.repository
        try:
            yield said
        except UserError as error:
            problem = error
            if isinstance(error, MissingError) and is_known(vault.restic, places):
                problem = gone(error, vault.restic)
            record(places, Run(kind, "", repository, began, now(), 1, problem.problems[0].message))
            raise problem from error
        record(places, Run(kind, "", repository, began, now(), 0, ", ".join(said)))


def _keeping(fleet: Fleet, host: str) -> Callable[[str], Keep]:
    """Say of an instance which of its sets stay; those of one that is gone are kept as the host has it."""
    wanted = fleet.hosts[host].backup
    default = wanted.keep if wanted else Keep()
    own = {
        name: one.definition.backup.keep
        for name, one in fleet.instances(host).items()
        if one.definition.backup and one.definition.backup.keep
    }
    return lambda instance: own.get(instance, default)
