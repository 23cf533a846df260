"""The database: one file of SQLite's, on the instance's volume."""

import sqlite3

FILE = "/var/lib/notes/notes.sqlite"


def connect() -> sqlite3.Connection:
    """Open the database; make its table and its first note if it is new."""
    database = sqlite3.connect(FILE, timeout=30)
    with database:
        if database.execute("PRAGMA user_version").fetchone() == (0,):
            database.execute(
                "CREATE TABLE IF NOT EXISTS note"
                " (id INTEGER PRIMARY KEY, text TEXT NOT NULL, written TEXT DEFAULT CURRENT_TIMESTAMP)"
            )
            database.execute(
                "INSERT INTO note (text) SELECT 'The first note.' WHERE NOT EXISTS (SELECT 1 FROM note)"
            )
            database.execute("PRAGMA user_version = 1")
    return database
