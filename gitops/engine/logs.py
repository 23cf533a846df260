"""What containers have written, as the engine has kept it (Engine API, GET /containers/ID/logs)."""

from collections.abc import Iterator
from datetime import datetime

from gitops.engine.connected import Connected
from gitops.engine.connection import telling


class Logs(Connected):
    """Logs of containers. Every method raises UserError."""

    def log(
        self, container: str, *, since: datetime | None, tail: int | None, follow: bool
    ) -> Iterator[tuple[str, bytes]]:
        """Give (time, bytes) of what a container wrote, a line each, or a part of one that is very long.

        Args:
            container: id or name.
            since: nothing older.
            tail: the last so many lines; None: all.
            follow: go on with what it writes until it ends.

        Returns:
            Times are RFC 3339 in UTC with nine digits of a second, so that they sort as texts.
        """
        with telling(f"cannot read the log of {container}"):
            pieces = self._api.logs(
                container,
                stream=True,
                timestamps=True,
                follow=follow,
                since=since and since.timestamp(),
                tail="all" if tail is None else tail,
            )
            for piece in pieces:
                time, _, content = piece.partition(b" ")
                yield time.decode(errors="replace"), content
