"""The database: PostgreSQL behind the socket that the instance's two containers share."""

import psycopg


def connect() -> psycopg.Connection:
    """Open the database. Nobody has a password: the server asks the kernel who is at the other end."""
    return psycopg.connect("host=/run/postgresql dbname=notes user=www-data")


def prepare() -> None:
    """Make the table and its first note if they are not there, however many workers do so at once."""
    with connect() as database:
        database.execute("SELECT pg_advisory_xact_lock(1)")
        if database.execute("SELECT to_regclass('note') IS NULL").fetchone() == (True,):
            database.execute(
                "CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL,"
                " written timestamp NOT NULL DEFAULT timezone('utc', now()))"
            )
            database.execute("INSERT INTO note (text) VALUES ('The first note.')")
