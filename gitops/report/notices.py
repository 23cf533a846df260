"""What somebody should hear of: that a thing has begun to fail, and that it works again.

`STATE/failing/TOPIC` stands for each thing that fails, so that its next failures are no news. What is news is
put into `STATE/outbox`, a file each, and stays there until it was delivered (gitops.report.delivery): nothing
waits for a server that may be away. A kill between the two tells it twice rather than never.
"""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gitops.system.clock import now, stamp
from gitops.system.files import write
from gitops.system.places import Places

log = logging.getLogger(__name__)

KEPT: Final = timedelta(days=3)
"""After so long, what could not be delivered is given up."""

_PATIENCE = 60  # seconds that what has something to say waits for its delivery
_LINES = 20
_CHARACTERS = 2000
_READ = 16 << 10  # bytes in which the last lines of a log are looked for
_LONGEST_PAUSE = 60  # minutes between two tries


@dataclass(frozen=True)
class Notice:
    """Something to tell.

    Args:
        title: a line.
        text: what is known of it, some lines.
        good: whether it is good news.
        time: when it came about, RFC 3339 in UTC.
        left: the receivers that have not got it yet, by name; None: nobody has.
        tries: how often delivering it was tried.
        due: when it is tried next, RFC 3339 in UTC.
        why: why the last try failed.
        path: its file.
        kind: of what sort it is (gitops.fleet.notifications); empty: everybody hears of it.
    """

    title: str
    text: str
    good: bool
    time: str
    left: tuple[str, ...] | None = None
    tries: int = 0
    due: str = ""
    why: str = ""
    path: Path = Path()
    kind: str = ""


def outcome(
    places: Places,
    topic: str,
    title: str,
    good: bool,  # noqa: FBT001  # what became of it is the point
    words: str,
    tail: str | bytes = "",
    *,
    always: bool = False,
    kind: str = "",
) -> bool:
    """Remember how something went; where it begins to fail or works again, put that into the outbox.

    Args:
        places: the host's directories.
        topic: what went so, the same each time: `job alice/wp-cron`.
        title: what to say of it in a line where it is bad: `job alice/wp-cron failed`.
        good: how it went.
        words: what else there is to say, some lines.
        tail: what it printed, of which the end is told: text, or bytes that need not be any.
        always: it is worth telling each time.
        kind: of what sort it is; see Notice.

    Returns:
        Whether something was put into the outbox, so that `send` has something to do. What cannot be written
        (a full disk) is only logged: the next time is as good.
    """
    mark = places.state / "failing" / topic.replace("/", ":")
    failing = mark.exists()
    if good is not failing and not always:
        return False
    said = title if not good else f"{topic} works again" if failing else f"{topic} went well"
    end = _end(tail)
    text = "\n".join([words.strip(), *(["", *end] if end else [])])
    try:
        tell(places, said, text, good=good, kind=kind)
        if good:
            mark.unlink(missing_ok=True)
        else:
            write(mark, f"{stamp(now())}\n", durable=False)
    except OSError as error:
        log.warning("%s: nobody is told: %s", said, error)
        return False
    return True


def tell(places: Places, title: str, text: str, *, good: bool, kind: str = "") -> None:
    """Put something into the outbox whatever was told before; raises OSError."""
    # Sorted by name is sorted by time; the rest of the name keeps two of the same instant apart.
    name = f"{time.time_ns():020d}-{os.urandom(4).hex()}.json"
    said = f"{_host(places)}: {title}"
    _write(Notice(said, text, good, stamp(now()), path=places.state / "outbox" / name, kind=kind))


def send(places: Places) -> None:
    """Have what is in the outbox sent by a program of its own; wait for it, though not for long."""
    if not due(places, now()):
        return
    from gitops.system.program import itself  # noqa: PLC0415  # there is mostly nothing to send
    from gitops.system.run import CommandError, run  # noqa: PLC0415  # see above

    with suppress(CommandError):  # it stays in the outbox, and the agent tries again
        run([*itself(), "notify"], check=False, timeout=_PATIENCE)


def outbox(places: Places) -> list[Notice]:
    """Give what is to be delivered still, the oldest first; what cannot be read is left out."""
    return list(_notices(places))


def due(places: Places, at: datetime) -> list[Notice]:
    """Give what is to be delivered now."""
    return [one for one in _notices(places) if one.due <= stamp(at)]


def hold(notice: Notice, left: tuple[str, ...], until: datetime, why: str) -> None:
    """Let a notice wait for some receivers, who have had enough for now; no try is counted."""
    _write(replace(notice, left=left, due=stamp(until), why=why))


def put_off(notice: Notice, left: tuple[str, ...], why: str) -> bool:
    """Let a notice be tried again later; each time the pause is twice as long, up to an hour.

    Args:
        notice: what could not be delivered to all.
        left: who has not got it.
        why: the reason, a line without any secret.

    Returns:
        False when it was given up, after days.
    """
    tries = notice.tries + 1
    if now() - datetime.fromisoformat(notice.time) > KEPT:
        notice.path.unlink(missing_ok=True)
        log.warning("given up, nobody was told: %s (%s)", notice.title, why)
        return False
    later = now() + timedelta(minutes=min(2 ** min(notice.tries, 6), _LONGEST_PAUSE))
    _write(replace(notice, left=left, tries=tries, due=stamp(later), why=why))
    return True


def _write(notice: Notice) -> None:
    told = {key: value for key, value in asdict(notice).items() if key != "path"}
    write(notice.path, json.dumps(told), mode=0o600)  # what a job has printed is not for everybody


def _notices(places: Places) -> Iterator[Notice]:
    try:
        names = sorted(os.listdir(places.state / "outbox"))  # noqa: PTH208  # asked every half minute
    except FileNotFoundError:
        return
    for name in names:
        path = places.state / "outbox" / name
        try:
            told = json.loads(path.read_text())
            left = None if told["left"] is None else tuple(told["left"])
            datetime.fromisoformat(told["time"]).astimezone(UTC)
            yield Notice(**{**told, "left": left}, path=path)
        except (OSError, ValueError, TypeError, KeyError):
            continue  # being written, or gone meanwhile


def _end(tail: str | bytes) -> list[str]:
    """Give the last lines of what was printed, printable."""
    text = tail.decode(errors="replace") if isinstance(tail, bytes) else tail
    lines = text[-_READ:].replace("\t", "    ").splitlines()[-_LINES:]
    shown = "\n".join("".join(one for one in line if one.isprintable()).rstrip() for line in lines)
    return shown[-_CHARACTERS:].strip("\n").splitlines()


def _host(places: Places) -> str:
    try:
        return (places.state / "host").read_text().strip()
    except FileNotFoundError:
        return os.uname().nodename
