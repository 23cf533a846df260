"""Remove notes older than a year, except the newest one; run by the host as the job `tidy`."""

from contextlib import closing

from database import connect

with closing(connect()) as database:
    with database:
        gone = database.execute(
            "DELETE FROM note WHERE written < datetime('now', '-1 year') AND id < (SELECT max(id) FROM note)"
        ).rowcount
    print(f"{gone} notes removed")
