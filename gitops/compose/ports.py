"""Published ports: two instances on a host cannot have the same, so each becomes a parameter."""

import re
from collections.abc import Collection
from typing import Any

from gitops.compose.names import named
from gitops.compose.source import Source
from gitops.fleet.document import At

_SHORT = re.compile(
    r"(?:(?P<host>\[[^\]]*\]|[0-9.]+|\$\{[^}]*\}):)?(?P<published>\d+):(?P<rest>\d+(?:/(?:tcp|udp|sctp))?)"
)


class Ports:
    """The parameters that published ports have become: `port`, and more of them by service and number."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        """Begin with none; names of the file's own variables are taken, whatever their case."""
        self._taken = {name.lower() for name in taken}
        self.parameters: dict[str, dict[str, Any]] = {}

    def of(self, source: Source, service: dict[str, Any], at: At) -> list[Any]:
        """Give a service's `ports` with parameters in place of the host's numbers."""
        return [
            self._port(source, entry, (*at, "ports", index), str(at[-1]))
            for index, entry in enumerate(service.get("ports") or [])
        ]

    def _port(self, source: Source, entry: Any, place: At, service: str) -> Any:  # noqa: ANN401 - any YAML
        if isinstance(entry, dict):
            kept = {key: entry[key] for key in ("target", "published", "host_ip", "protocol") if key in entry}
            for key in entry.keys() - kept.keys() - {"name", "app_protocol", "mode"}:
                source.note((*place, key), "has no counterpart")
            if str(kept.get("published", "")).isdigit():
                kept["published"] = self._parameter(int(kept["published"]), service, kept["target"])
            return kept
        found = _SHORT.fullmatch(str(entry))
        if not found:
            if re.search(r"\d-\d", str(entry)):
                source.note(place, "a range stays as it is: only one instance on a host can have it")
            return entry
        host = f"{found['host']}:" if found["host"] else ""
        target = found["rest"].partition("/")[0]
        return f"{host}{self._parameter(int(found['published']), service, target)}:{found['rest']}"

    def _parameter(self, number: int, service: str, target: object) -> str:
        own = f"{named(service)}_port".replace("-", "_")
        taken = self._taken | self.parameters.keys()
        names = ("port", own, f"{own}_{target}", *(f"{own}_{count}" for count in range(2, 1000)))
        name = next(each for each in names if each not in taken)
        self.parameters[name] = {
            "type": "integer",
            "default": number,
            "description": f"Port of this host for {service}, port {target}; every instance needs its own.",
        }
        return f"${{{name}}}"
