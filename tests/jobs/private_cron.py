"""Debian's cron, which sees one directory of manifests and nothing else of this machine's."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Neither another cron nor its lock can see it; the engine's socket stays where it is.
_SCRIPT = """set -eu
mkdir -p "$1/run" "$1/crontabs"
touch "$1/run/docker.sock"
mount --bind /run/docker.sock "$1/run/docker.sock"
mount --rbind "$1/run" /run
mount --bind "$1/crontabs" /var/spool/cron/crontabs
mount --bind /dev/null /etc/crontab
mount --bind "$2" /etc/cron.d
shift 2
exec "$@"
"""


@contextmanager
def private_cron(
    manifests: Path,
    directory: Path,
    *,
    before: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run cron until the block is left.

    Args:
        manifests: what it sees as /etc/cron.d.
        directory: where it keeps its own things; it is made.
        before: a program that starts cron, and its arguments.
        environment: its whole environment; None: this process's.
    """
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SCRIPT, "cron"]
    words = [*command, str(directory), str(manifests), *before, "cron", "-f"]
    with subprocess.Popen(words, cwd="/", env=environment) as daemon:
        try:
            yield
        finally:
            daemon.terminate()
