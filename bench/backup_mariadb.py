"""A run of one instance with a MariaDB of 500 MB, against its dump piped into bare restic."""

from bench.backing import backed
from bench.figure import Figure, Limit, in_turns
from tests.database_fixtures import SERVERS

_ROWS = 500_000
"""Of a kilobyte each, half of which is compressed away."""

_FILL = f"""mariadb -e 'CREATE DATABASE shop; CREATE TABLE shop.t (n INT PRIMARY KEY, text TEXT);
INSERT INTO shop.t SELECT seq, CONCAT({", ".join(f"SHA2(seq * 8 + {i}, 512)" for i in range(8))})
FROM mysql.seq_1_to_{_ROWS}'"""  # noqa: S608  # constants
DUMP = (
    "mariadb-dump --single-transaction --routines --events --triggers --hex-blob --comments"
    " --default-character-set=utf8mb4 --max-allowed-packet=1G -- shop"
)


def measure() -> Figure:
    asked = "{databases: [{service: one, kind: mariadb, name: shop}]}"
    with backed(asked, ("sh", "-c", SERVERS["mariadb"]), "mariadb -e 'SELECT 1'") as host:
        host.execute("alice", _FILL)
        piped = f"docker exec {host.container('alice')} {DUMP} | restic backup --stdin --quiet"
        ours, bare = in_turns(3, host.back_up, lambda: host.bare(piped))
    return Figure(
        "back up a MariaDB of 500 MB",
        "the same dump piped into restic backup --stdin",
        ours.seconds,
        bare.seconds,
        1.05,
        Limit(ours.peak, 60, "MB"),
    )
