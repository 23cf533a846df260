"""A run of one instance whose volume has 20,000 files, none of them changed, against bare restic."""

from bench.backing import backed
from bench.figure import Figure, in_turns
from gitops.engine.docker import Docker
from tests.database_fixtures import IDLE

_FILL = """cd /srv/data
for d in $(seq 200); do mkdir "$d"; head -c 400000 /dev/urandom | split -b 4000 - "$d/"; done"""


def measure() -> Figure:
    with backed("{volumes: [data]}", IDLE, "true", volume="/srv/data") as host:
        host.execute("alice", _FILL)
        directory = Docker().volume_path(f"{host.name}.alice.data")
        command = f"restic backup --quiet {directory}"
        ours, bare = in_turns(7, host.back_up, lambda: host.bare(command))
    return Figure(
        "back up a volume of 20,000 files, unchanged", "restic backup", ours.seconds, bare.seconds, 1.1
    )
