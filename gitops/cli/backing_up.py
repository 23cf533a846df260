"""`gitops backup run`: what the verb does, and how it does so without the rest of the program being loaded.

A host's scheduler starts it for each app, and what is backed up is mostly what it was the last time.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.cli.deployed import deployed, whereabouts
from gitops.fleet.unchanged import state_of
from gitops.system.places import Places, places

if TYPE_CHECKING:
    from gitops.backup.asked import Asked, AskedHost


def back_up(names: Sequence[str], fleet: Path | None, host: str | None) -> int:
    """Back up instances, say how it went, and give the exit status: 1 when one has no good backup.

    Args:
        names: theirs; none: every instance of the host that has anything to back up.
        fleet: the fleet's directory; None: the one that this host runs.
        host: the host's name; None: as `deployed` finds it.

    Raises:
        UserError: nothing could be backed up.
    """
    here = places()
    asked, wanted = _wanted(names, fleet, host, here)
    if not wanted:
        print(f"no instance on {asked.repository.host} is backed up")
        return 0
    from gitops.backup.run import back_up as save
    from gitops.backup.run import failure
    from gitops.backup.vault import vault_of
    from gitops.cli.progress import shown
    from gitops.cli.saying import say
    from gitops.engine.docker import Docker
    from gitops.system.complaint import complain

    with Docker() as engine, shown() as progress:
        vault = vault_of(asked.repository, here, progress)
        made = save(vault, engine, wanted, here, tell=say)
    for one in made:
        if one.complete:
            print(f"{one.instance}: backup {one.short} is complete")
        else:
            complain(f"no backup of {one.instance} was made: {failure(one)}")
    return 0 if all(one.complete for one in made) else 1


def _wanted(
    names: Sequence[str], fleet: Path | None, host: str | None, here: Places
) -> tuple["AskedHost", list["Asked"]]:
    """Find out what is to be backed up: as it was, where no definition has changed; otherwise read them."""
    from gitops.backup.remembered import recall, remember

    state = state_of(*whereabouts(fleet, host), here)
    if (known := recall(state, here)) and (found := list(_chosen(known, names))):
        return known, found
    from gitops.backup.asked import asked_host
    from gitops.system.errors import UserError

    definitions, name = deployed(fleet, host)
    asked = asked_host(definitions, name)
    remember(state, asked, here)
    backed_up = {one.instance for one in asked.instances}
    for instance in names:
        one = definitions.instance(name, instance)  # it raises where there is none, and names the nearest
        if instance not in backed_up:
            hint = f"add backup: to apps/{one.app}.yaml"
            raise UserError(f"nothing of {instance} is backed up", hint=hint)
    return asked, list(_chosen(asked, names))


def _chosen(asked: "AskedHost", names: Sequence[str]) -> "Iterator[Asked]":
    """Give what is asked of instances, in order of their names; nothing where one of them is not known."""
    every = {one.instance: one for one in asked.instances}
    if every.keys() >= set(names):
        yield from (every[name] for name in sorted(set(names or every)))
