"""Whether packages can be installed together: apt's own judgement of a system that has exactly them."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitops.debian.packages import fields
from gitops.debian.private import as_installed, configuration
from gitops.system.files import write
from gitops.system.run import run

_BLOCK = re.compile(r"^ ([A-Za-z0-9][A-Za-z0-9+.-]*)\S* : ")
_KIND = re.compile(r"(PreDepends|Depends|Conflicts|Breaks|Obsoletes|Recommends|Suggests|Enhances|Replaces): ")
_BREAKING = {"PreDepends", "Depends", "Conflicts", "Breaks"}
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9+.-]*)")


def unmet(stanzas: Sequence[str], architecture: str) -> tuple[frozenset[str], ...]:
    """Ask apt whether a system with these packages installed, and no others, is consistent.

    Args:
        stanzas: control stanzas, one a package.
        architecture: Debian's name for it.

    Returns:
        For each package that apt complains about, its name and those it depends on or conflicts with,
        among them who provides such a name; all names where apt's complaint is not understood.
        Empty when all is well.
    """
    with tempfile.TemporaryDirectory(prefix="gitops-apt-") as own:
        root = Path(own)
        for directory in ("lists/partial", "archives/partial"):
            (root / directory).mkdir(parents=True)
        # A moment's files, which need no disk to be waited for.
        write(root / "status", "".join(as_installed(stanza) for stanza in stanzas), durable=False)
        write(root / "apt.conf", configuration(root, architecture), durable=False)
        answer = run(
            ["apt-get", "check", "--quiet", f"-oDir::State::status={root}/status"],
            env={"APT_CONFIG": str(root / "apt.conf")},
            check=False,
        )
    if answer.status == 0:
        return ()
    parsed = [fields(stanza) for stanza in stanzas]
    providers: dict[str, set[str]] = {}
    for values in parsed:
        for word in values.get("Provides", "").split(","):
            providers.setdefault(word.strip().partition(" ")[0], set()).add(values["Package"])
    found = tuple(
        frozenset({*names, *(each for name in names for each in providers.get(name, ()))})
        for names in _complaints(answer.stdout)
    )
    return found or (frozenset(values["Package"] for values in parsed),)


def _complaints(text: str) -> Iterator[set[str]]:
    """Read what apt says of each package that it complains about: ShowBroken in its apt-private.

    A line is ` foo : Depends: bar (>= 2) but 1 is installed`, without the name where it goes on with the
    same package, and ends in ` or` where the next one only has another alternative.
    """
    names: set[str] = set()
    kind, breaks = "", False
    for line in text.splitlines():
        block = _BLOCK.match(line)
        if block:
            if breaks:
                yield names
            names, kind, breaks = {block[1]}, "", False
        elif not names or not line.startswith("  "):
            continue
        rest = line[block.end() if block else 0 :].lstrip()
        stated = _KIND.match(rest)
        kind = stated[1] if stated else kind
        named = _NAME.match(rest, stated.end() if stated else 0)
        if kind in _BREAKING and named:
            names.add(named[1])
            breaks = True
    if breaks:
        yield names
