"""A run of one instance with a PostgreSQL of 500 MB, against its dump piped into bare restic."""

from bench.backing import backed
from bench.figure import Figure, Limit, in_turns
from tests.database_fixtures import SERVERS

_ROWS = 500_000
"""Of a kilobyte each, half of which is compressed away."""

_FILL = f"""createdb shop; psql --quiet shop -c 'CREATE TABLE t (n int PRIMARY KEY, text text);
ALTER TABLE t ALTER text SET STORAGE PLAIN;
INSERT INTO t SELECT n, {" || ".join(f"md5((n * 32 + {i})::text)" for i in range(32))}
FROM generate_series(1, {_ROWS}) n'"""  # noqa: S608  # constants
_DUMP = "pg_dump --format=custom --compress=0 shop"


def measure() -> Figure:
    asked = "{databases: [{service: one, kind: postgresql, name: shop}]}"
    ready = "su postgres -c 'psql -c \"SELECT 1\"'"
    with backed(asked, ("sh", "-c", SERVERS["postgresql"]), ready) as host:
        host.execute("alice", _FILL, "postgres")
        piped = (
            f"docker exec --user postgres {host.container('alice')} {_DUMP} | restic backup --stdin --quiet"
        )
        ours, bare = in_turns(3, host.back_up, lambda: host.bare(piped))
    return Figure(
        "back up a PostgreSQL of 500 MB",
        "the same dump piped into restic backup --stdin",
        ours.seconds,
        bare.seconds,
        1.05,
        Limit(ours.peak, 60, "MB"),
    )
