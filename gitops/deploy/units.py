"""The units of scheduled jobs in systemd's directory: only those that are marked as this fleet's are touched.

A note in the state directory says that systemd has yet to hear of a change, so that a kill in between, or a
systemd that cannot be reached, is made up for by the next turn.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from gitops.render.mark import MARK
from gitops.system.files import write
from gitops.system.places import Places
from gitops.system.run import run

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_READ_BY_SYSTEMD = (Path("/etc/systemd/system"), _BOOTED)  # systemd.unit(5)
_WANTS = "timers.target.wants"
_SERVICE = "[Service]\n"
_KINDS = (".service", ".timer")


def install_units(
    units: Mapping[str, str],
    fleet: str,
    places: Places,
    environment: Mapping[str, str],
    tell: Callable[[str], object],
) -> bool:
    """Make a fleet's units what they should be, its timers enabled and started.

    Args:
        units: name to text, as rendered.
        fleet: the fleet's name.
        places: where units go, and where services may write.
        environment: what lets services find this installation.
        tell: is told where no systemd reads them.

    Returns:
        True when something changed.

    Raises:
        CommandError: systemd does not take them.
    """
    wanted = {name: _installed(text, places, environment) for name, text in units.items()}
    there, note = installed_units(fleet, places), _note(places)
    enabled = {name for name in wanted if _timer(name) and _link(name, places).is_symlink()}
    if there == wanted and enabled == set(filter(_timer, wanted)) and not note.exists():
        return False
    write(note, "")
    gone = sorted(there.keys() - wanted.keys())
    changed = [name for name, text in wanted.items() if there.get(name) != text]
    read = booted_with_systemd() and places.systemd in _READ_BY_SYSTEMD
    for half in places.systemd.glob(".gitops-*.*"):  # what a writer that was killed has left
        half.unlink(missing_ok=True)
    if read:
        _systemctl("stop", filter(_timer, gone))
    for name in gone:
        _link(name, places).unlink(missing_ok=True)
        (places.systemd / name).unlink(missing_ok=True)
    for name in changed:
        write(places.systemd / name, wanted[name])
    for name in filter(_timer, wanted):
        if not _link(name, places).is_symlink():
            _link(name, places).parent.mkdir(exist_ok=True)
            _link(name, places).symlink_to(Path("..", name))
    if read:
        run(["systemctl", "daemon-reload"])
        _systemctl("restart", filter(_timer, changed))
        _systemctl("start", filter(_timer, wanted))
    elif wanted:
        tell(f"no systemd reads {places.systemd} here, so nothing starts the jobs' timers")
    note.unlink()
    return True


def installed_units(fleet: str, places: Places) -> dict[str, str]:
    """Read the units of a fleet's jobs as they are: name to text."""
    head = f"{MARK}\n# Of the fleet {fleet}.\n"
    texts = {path.name: path.read_text() for path in _candidates(places)}
    return {name: text for name, text in texts.items() if text.startswith(head)}


def unit_summary(places: Places) -> str:
    """Give a text that is another when any unit of ours is, or is not enabled any more; none is read."""
    found = sorted(_looks(places.systemd)) + sorted(_looks(places.systemd / _WANTS))
    return repr((found, _note(places).exists())) if found else ""


def booted_with_systemd() -> bool:
    """Tell whether this machine's services are systemd's (sd_booted(3))."""
    return _BOOTED.is_dir()


def escaped(value: str) -> str:
    """Escape what systemd gives a meaning of its own (systemd.syntax(7), "Quoting"; systemd.unit(5))."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace(" ", r"\x20")


def assignments(environment: Mapping[str, str]) -> list[str]:
    """Write variables as what follows `Environment=`, one each."""
    return [f'"{escaped(f"{name}={value}")}"' for name, value in environment.items()]


def writable(paths: Iterable[Path]) -> str:
    """Write directories as what follows `ReadWritePaths=`; those that are not there are nobody's fault."""
    return " ".join(f"-{escaped(str(path))}" for path in paths)


def _installed(text: str, places: Places, environment: Mapping[str, str]) -> str:
    own = [
        f"ExecSearchPath={escaped(environment['PATH'])}",
        *(f"Environment={one}" for one in assignments(environment)),
        f"ReadWritePaths={writable((places.state, places.cache, places.runtime))}",
    ]
    return text.replace(_SERVICE, _SERVICE + "".join(f"{line}\n" for line in own))


def _looks(directory: Path) -> Iterator[tuple[str, int, int]]:
    """Give name, time of change and size of what may be ours; scandir, since the agent asks at every look."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith("gitops-") and entry.name.endswith(_KINDS):
                seen = entry.stat(follow_symlinks=False)
                yield entry.name, seen.st_mtime_ns, seen.st_size


def _candidates(places: Places) -> list[Path]:
    if not places.systemd.is_dir():
        return []
    return [
        path
        for path in places.systemd.glob("gitops-*.*")
        if path.name.endswith(_KINDS) and path.is_file() and not path.is_symlink()
    ]


def _systemctl(verb: str, names: Iterable[str]) -> None:
    if found := list(names):
        run(["systemctl", verb, *found])


def _timer(name: str) -> bool:
    return name.endswith(".timer")


def _link(name: str, places: Places) -> Path:
    return places.systemd / _WANTS / name


def _note(places: Places) -> Path:
    return places.state / "units-changed"
