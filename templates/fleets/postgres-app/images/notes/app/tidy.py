"""Remove notes older than a year, except the newest one; run by the host as the job `tidy`."""

from database import connect

with connect() as database:
    gone = database.execute(
        "DELETE FROM note WHERE written < timezone('utc', now()) - interval '1 year'"
        " AND id < (SELECT max(id) FROM note)"
    ).rowcount
print(f"{gone} notes removed")
