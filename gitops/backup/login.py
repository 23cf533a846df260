"""Who connects to a database; apart from the kinds of these, for who saves none."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """Who connects to a database.

    Args:
        user: a user of the database server; None: its own superuser, over its socket.
        password_file: where that user's password stands: a path in the container, /run/secrets/NAME. It is
            read there, by the shell that starts the client, and passes to the client in its environment.
    """

    user: str | None = None
    password_file: str | None = None
