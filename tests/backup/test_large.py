"""As much as there may be, with names that nobody expects; `LARGE=1000` for a gigabyte in all."""

import os

from gitops.backup.databases import KINDS, Login
from tests.backup.proving import Proving, tree
from tests.database_fixtures import DATABASE, INSTANCE

_MEGABYTES = int(os.environ.get("LARGE", "20"))
_SPARSE = 50_000_000
_TABLE = '`odd ``table``; "größe" ☂ -- \'`'
_FILES = r"""
set -e; cd /srv/uploads
for n in $(seq "$1"); do
    head -c 1000000 /dev/urandom >"$(printf 'file %s \\ \n \377 "quoted" $HOME' "$n")"
done
mkdir -p -- "$(printf -- '-rf\t')" deep/a/b/c/d/e/f; : >"deep/a/b/c/d/e/f/$(printf '%0250d' 0)"
ln -s '/etc/passwd' link; ln -s 'nowhere' dangling; mkfifo pipe; truncate -s 50000000 sparse
chmod 4750 deep; chmod 000 -- -rf*; chown 12345:54321 pipe
"""


def test_much_of_everything_comes_back_to_the_last_byte(proving: Proving) -> None:
    site, half = proving.site, _MEGABYTES // 2
    site.sql(f"CREATE TABLE {_TABLE} (`n\\` INT PRIMARY KEY, d LONGBLOB, t LONGTEXT) CHARACTER SET utf8mb4;")
    for first in range(0, half, 50):
        last = min(first + 50, half) * 16
        site.sql(
            f"INSERT INTO {_TABLE} SELECT seq, CONCAT({', '.join(['RANDOM_BYTES(1024)'] * 32)}),"  # noqa: S608  # numbers
            f" REPEAT('\\0\\r\\n\\'🎈', 500) FROM mysql.seq_{first * 16 + 1}_to_{last};"
        )
    site.execute("web", "sh", "-c", _FILES, "sh", str(half))
    kind, container = KINDS["mariadb"], site.container("db")
    database, files = kind.fingerprint(site.engine, container, DATABASE, Login()), tree(site.uploads)
    made = proving.back_up()
    assert made.complete
    assert made.size > _MEGABYTES * 1_000_000 + _SPARSE

    site.sql(f"DROP DATABASE `{DATABASE}`;", "mysql")
    site.execute("web", "sh", "-c", "chmod 700 /srv/uploads/-rf*; find /srv/uploads -mindepth 1 -delete")
    with site.gitops("backup", "restore", INSTANCE) as process:
        output, error = process.communicate()
        assert (process.returncode, error) == (0, b""), output
    assert kind.fingerprint(site.engine, container, DATABASE, Login()) == database
    assert tree(site.uploads) == files
