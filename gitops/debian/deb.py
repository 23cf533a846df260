"""What a .deb says about itself: deb(5)."""

from pathlib import Path

from gitops.system.errors import UserError
from gitops.system.run import run

_MAGIC = b"!<arch>\n"


def control(path: Path) -> str:
    """Give the control stanza of a .deb, without its last newline.

    Raises:
        CommandError: it is not a .deb.
    """
    return run(["dpkg-deb", "--field", path]).stdout.rstrip("\n")


def timestamp(path: Path) -> int:
    """Give the time a .deb was built at, in seconds since the epoch: the time of its first ar member.

    Raises:
        UserError: it is not a .deb.
    """
    with path.open("rb") as file:
        head = file.read(len(_MAGIC) + 60)
    member, time = head[8:24], head[24:36]
    if head[:8] != _MAGIC or not member.startswith(b"debian-binary") or not time.strip().isdigit():
        raise UserError("this is not a .deb", file=path)
    return int(time)
