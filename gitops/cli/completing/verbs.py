"""The verbs with their options, read from a file: importing them takes longer than anyone waits for a key."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitops import __version__
from gitops.system.files import write
from gitops.system.places import places

if TYPE_CHECKING:
    from gitops.cli.tree import Parameter, Verb

_FORMAT = 2


def verbs() -> Mapping[str, Any]:
    """Give the program and its verbs; they are written down anew after any change to gitops/cli."""
    path = places().cache / "completion" / "verbs.json"
    of = [_FORMAT, __version__, str(Path(__file__).parent), *sorted(_changed(Path(__file__).parents[1]))]
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_bytes())
        if kept["of"] == of:
            return kept["verbs"]  # type: ignore[no-any-return]  # what JSON says
    from gitops.cli.tree import tree

    found = _plain(tree())
    with suppress(OSError):
        write(path, json.dumps({"of": of, "verbs": found}), durable=False)
    return found


def _changed(directory: Path) -> list[int]:
    return [path.stat().st_mtime_ns for path in directory.glob("*.py")]


def _plain(verb: "Verb") -> dict[str, Any]:
    return {
        "name": verb.words[-1],
        "short": verb.short,
        "arguments": [_parameter(one) for one in verb.arguments],
        "options": [_parameter(one) for one in verb.options],
        "verbs": [_plain(one) for one in verb.verbs],
    }


def _parameter(one: "Parameter") -> dict[str, Any]:
    # `IMAGE|APP` is a name of either; of `SERVICE] -- COMMAND` only what stands first can be known.
    names = "|".join(re.findall("[A-Z_]+", one.metavar.partition(" ")[0]))
    said = {"spellings": one.spellings, "metavar": names, "help": one.help}
    return {**said, "choices": one.choices, "many": one.many}
