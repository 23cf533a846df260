"""A run of a hundred instances, each with a small MariaDB, against a hundred runs of bare restic."""

from bench.backing import backed
from bench.backup_mariadb import DUMP
from bench.figure import Figure, in_turns

_COUNT = 100
_SERVER = (
    "install -d -o mysql /run/mysqld && exec mariadbd --user=mysql --innodb-buffer-pool-size=8M"
    " --innodb-log-file-size=4M --skip-performance-schema"
)
_FILL = """mariadb -e 'CREATE DATABASE shop; CREATE TABLE shop.t (n INT PRIMARY KEY, text TEXT);
INSERT INTO shop.t SELECT seq, SHA2(CONCAT(RAND(), seq), 512) FROM mysql.seq_1_to_2000'"""


def measure() -> Figure:
    names = [f"shop{number}" for number in range(_COUNT)]
    asked = "{databases: [{service: one, kind: mariadb, name: shop}]}"
    with backed(asked, ("sh", "-c", _SERVER), "mariadb -e 'SELECT 1'", names) as host:
        for name in names:
            host.execute(name, _FILL)
        one_by_one = [
            f"docker exec {host.container(name)} {DUMP}"
            f" | restic backup --quiet --stdin --stdin-filename {name}.sql"
            for name in names
        ]

        ours, bare = in_turns(1, host.back_up, lambda: host.bare(*one_by_one))
    return Figure(
        f"back up {_COUNT} instances, small databases",
        f"{_COUNT} runs of restic, one after the other",
        ours.seconds,
        bare.seconds,
        0.6,
    )
