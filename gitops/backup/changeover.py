"""What a restore does to an instance: the new is laid ready beside the old, and then they change places.

How far that is shows in the instance itself: a scratch copy goes when a database changes over, and a volume's
directory has the number of the fresh one. So whoever comes after an interruption can tell what is left to do.
"""

import re
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePosixPath

from gitops.backup.databases import KINDS, ROLES
from gitops.backup.exchange import exchange
from gitops.backup.journal import Journal
from gitops.backup.pieces import Piece
from gitops.backup.sets import VOLUME
from gitops.backup.vault import Vault
from gitops.backup.waiting import wait_for_servers
from gitops.backup.within import put
from gitops.engine.connection import AwayError
from gitops.engine.docker import Docker
from gitops.engine.held import hold
from gitops.system.errors import Problem, UserError
from gitops.system.places import Places
from gitops.system.run import run

_IN_PART = "restore it again when the cause is mended, or go back to what was kept"

_COUNTS = re.compile(r"\d+ (?:tables|rows|pages|keys)")

Tell = Callable[[str], object]


class PartError(UserError):
    """Some of the new is in place, and some of the old."""


def prepare(vault: Vault, engine: Docker, pieces: Iterable[Piece], tell: Tell) -> tuple[Piece, ...]:
    """Lay everything ready beside its place, checked and on disk; give the pieces as they are then.

    A server that has none of its databases yet gets its users and roles at once, since the databases cannot
    be loaded without them.

    Raises:
        UserError: something cannot be read, or loaded, or is not what was dumped; nothing has changed.
    """
    ready: list[Piece] = []
    for container, group in groupby(_roles_first(pieces), key=lambda one: one.container):
        own = list(group)
        new = bool(container) and not any(exists(engine, one) for one in own if one.dataset.name != ROLES)
        for piece in own:
            tell(f"fetching {piece.dataset}")
            ready.append(_lay(vault, engine, piece, tell))
            if new and piece.dataset.name == ROLES:
                KINDS[piece.dataset.kind].swap(engine, container, ROLES, piece.login)
    for piece in ready:
        if piece.inode:
            run(["sync", "--file-system", _beside(piece)])
    return tuple(ready)


def lay_database(vault: Vault, engine: Docker, piece: Piece, tell: Tell = lambda _: None) -> None:
    """Load a dump beside the real database, and compare what is there then with what was dumped.

    Raises:
        UserError: it does not load, or something is missing from it.
    """
    kind, name, expected = KINDS[piece.dataset.kind], piece.dataset.name, piece.part.fingerprint
    kind.load_beside(engine, piece.container, name, vault.read(piece.part), piece.login)
    if not expected or name == ROLES:  # of users and roles, what waits is a script
        return
    found = kind.fingerprint(engine, piece.container, kind.beside(name), piece.login)
    if _COUNTS.findall(found) != _COUNTS.findall(expected):
        raise UserError(f"{piece.dataset} was dumped with {expected}, and loads as {found}")
    if found != expected:
        tell(f"{piece.dataset} was dumped with {expected}, and loads as {found}: another version wrote it")


def change_over(
    note: Journal, engine: Docker, places: Places, lay_anew: Callable[[Piece], object] | None = None
) -> float:
    """Let services stand still, and old and new change places where they have not yet; undisturbed by Ctrl-C.

    The journal is `changing` from before the first change on, and `changed` from after the last.

    Args:
        note: what changes over; all of it lies ready.
        engine: the host's engine.
        places: the host's directories.
        lay_anew: does what `lay_database` does; after an interruption, for those databases that came to their
            place in part.

    Returns:
        The seconds for which services stood still.

    Raises:
        PartError: a server or the file system refuses, and trying again would not help.
        AwayError: the engine is away; what is left to do can be done when it is back.
        UserError: nothing has changed, since services cannot be stopped, or the first change was refused; or
            all has, and services do not start.
    """
    there = {one.name: one for one in engine.named(note.still)}
    users = [there[name] for name in note.still if name in there]
    with hold(engine, users, "stop", places, "restore") as stillness, _undisturbed():
        _refuse_others(engine, note.pieces)
        note = note.now("changing", places)
        done: list[Piece] = []
        try:
            if lay_anew:
                _mend(engine, note.pieces, lay_anew)
            _change(engine, note.pieces, done)
        except AwayError:
            raise
        except UserError as error:
            if lay_anew is None and _as_it_was(engine, note.pieces, done):
                note.now("preparing", places)
                raise
            part = Problem(message=f"{note.instance} is restored in part", hint=_IN_PART)
            raise PartError.of([*error.problems, part]) from error
        note.now("changed", places)
    return stillness.seconds


def tidy(engine: Docker, pieces: Iterable[Piece]) -> None:
    """Remove what lies beside: the new before the change-over, the old after it.

    Raises:
        UserError: a server does not answer, or a tool is at work in its container still.
    """
    wanted = list(pieces)
    for piece in wanted:
        if piece.dataset.kind == VOLUME:
            beside = _beside(piece)
            for one in (beside, *beside.parent.glob(f".{beside.name}.*")):  # where a volume is on its way
                with suppress(FileNotFoundError):
                    shutil.rmtree(one)
    wait_for_servers(engine, wanted)
    for piece in wanted:
        if piece.container:
            kind = KINDS[piece.dataset.kind]
            kind.discard(engine, piece.container, piece.dataset.name, piece.login)


def exists(engine: Docker, piece: Piece, *, beside: bool = False) -> bool:
    """Tell whether there is a piece's database, or what was laid ready beside it."""
    kind, name = KINDS[piece.dataset.kind], piece.dataset.name
    return kind.exists(engine, piece.container, kind.beside(name) if beside else name, piece.login)


def _refuse_others(engine: Docker, pieces: Iterable[Piece]) -> None:
    """Raise when somebody still uses a volume that changes: whoever has it open would go on with the old."""
    for piece in pieces:
        if piece.dataset.kind == VOLUME and (users := engine.users(Path(piece.directory).parent.name)):
            raise UserError(
                f"{', '.join(users)} uses the {piece.dataset}", hint="end it, or wait until it ends"
            )


def _change(engine: Docker, pieces: Iterable[Piece], done: list[Piece]) -> None:
    """Bring each piece to its place where it is not there yet, and add it to those that are done."""
    for piece in pieces:
        if piece.container and exists(engine, piece, beside=True):
            kind = KINDS[piece.dataset.kind]
            kind.swap(engine, piece.container, piece.dataset.name, piece.login)
        if piece.inode and Path(piece.directory).stat().st_ino != piece.inode:
            exchange(Path(piece.directory), _beside(piece))
        done.append(piece)


def _as_it_was(engine: Docker, pieces: Sequence[Piece], done: Sequence[Piece]) -> bool:
    """Tell whether a change-over that was refused has changed nothing."""
    if done:
        return False
    refused = pieces[0]
    return not refused.container or (
        KINDS[refused.dataset.kind].atomic and exists(engine, refused, beside=True)
    )


def _mend(engine: Docker, pieces: Iterable[Piece], lay_anew: Callable[[Piece], object]) -> None:
    """Lay databases ready again of which neither what lies beside nor what is in place is what was dumped."""
    for piece in pieces:
        expected = piece.part.fingerprint
        if not piece.container or not expected or piece.dataset.name == ROLES:
            continue
        kind, name = KINDS[piece.dataset.kind], piece.dataset.name
        newest = kind.beside(name) if exists(engine, piece, beside=True) else name
        try:
            found = kind.fingerprint(engine, piece.container, newest, piece.login)
        except UserError:  # there is nothing of it
            found = ""
        if found != expected:
            lay_anew(piece)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep the signals that would end this process waiting until the block is done."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lay(vault: Vault, engine: Docker, piece: Piece, tell: Tell) -> Piece:
    if piece.container:
        lay_database(vault, engine, piece, tell)
    elif piece.file:
        like = PurePosixPath(piece.part.dataset.name).name
        said = put(_beside(piece), piece.file, vault.read(piece.part), like=like)
        if piece.part.fingerprint not in {"", said}:
            raise UserError(f"{piece.dataset} was dumped with {piece.part.fingerprint}, and comes as {said}")
    else:
        vault.restore(piece.part, _beside(piece))
        return replace(piece, inode=_beside(piece).stat().st_ino)
    return piece


def _roles_first(pieces: Iterable[Piece]) -> list[Piece]:
    """Order pieces by container, users and roles first; volumes and the files in them come last."""
    return sorted(pieces, key=lambda one: (not one.container, one.container, one.dataset.name != ROLES))


def _beside(piece: Piece) -> Path:
    place = Path(piece.directory)
    return place.with_name(f"{place.name}.gitops-restore")
