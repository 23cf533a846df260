"""Words of a command line that say no more than instances, a fleet and a host: read without loading typer."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_OPTIONS = frozenset({"--fleet", "--host"})


class Said(NamedTuple):
    """What the words say.

    Args:
        names: of instances; none: all of them.
        fleet: the fleet's directory.
        host: the host's name.
    """

    names: tuple[str, ...]
    fleet: Path | None
    host: str | None


def plainly(words: Sequence[str]) -> Said | None:
    """Read `INSTANCE…` or `--all`, `--fleet DIR` and `--host HOST`; None where there is anything else."""
    names: list[str] = []
    options: dict[str, str] = {}
    everything, rest = False, iter(words)
    for word in rest:
        if word in _OPTIONS:
            options[word] = next(rest, "-")
        elif word == "--all":
            everything = True
        else:
            names.append(word)
    if bool(names) is everything or any(word.startswith("-") for word in [*names, *options.values()]):
        return None
    fleet = options.get("--fleet")
    return Said(tuple(names), Path(fleet) if fleet is not None else None, options.get("--host"))
