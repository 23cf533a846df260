"""What the three APIs share: a request, its answer, and a table of routes."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.forge.fake.project import Project, RefusedError

Json = Any
"""A JSON value: what a client sent, not yet looked at."""


@dataclass
class Request:
    """One request to an API.

    Args:
        project: what it is about.
        method: GET, POST…
        path: below the root of the API.
        query: its parameters.
        body: its JSON, {} when it has none.
        address: of the server: http://127.0.0.1:PORT.
        headers: those of the answer.
    """

    project: Project
    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    address: str
    headers: dict[str, str] = field(default_factory=dict)

    def page(self, items: Iterable[Json], *, size: str = "per_page", most: int = 100) -> list[Json]:
        """Give the page of a list that is asked for, and say where the next one is."""
        every = list(items)
        number = int(self.query.get("page", "1"))
        length = min(int(self.query.get(size, "30")), most)
        if number * length < len(every):
            query = "&".join(f"{k}={v}" for k, v in {**self.query, "page": str(number + 1)}.items())
            self.headers["Link"] = f'<{self.address}{self.path}?{query}>; rel="next"'
        return every[(number - 1) * length : number * length]


Handler = Callable[..., tuple[int, Json]]
"""Takes the request and what the route's pattern found; gives status and JSON."""


@dataclass
class Api:
    """One forge's API: where it is, and who answers what."""

    root: str
    routes: list[tuple[str, re.Pattern[str], Handler]] = field(default_factory=list)

    def route(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        """Register who answers a method and a path."""

        def register(handler: Handler) -> Handler:
            self.routes.append((method, re.compile(pattern), handler))
            return handler

        return register

    def answer(self, request: Request) -> tuple[int, Json]:
        """Find who answers, and let them."""
        path = request.path.removeprefix(self.root)
        for method, pattern, handler in self.routes:
            if method == request.method and (found := pattern.fullmatch(path)):
                return handler(request, *found.groups())
        raise RefusedError(404, "Not Found")
