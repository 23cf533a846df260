"""Looking at every instance of every host, and at apps that no host runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from gitops.fleet.apps import App
from gitops.fleet.fleet import Fleet
from gitops.fleet.hosts import Placement
from gitops.fleet.instances import (
    AppDefinition,
    filled,
    filled_with_samples,
    placement_faults,
    value_faults,
    values_of,
)
from gitops.fleet.ports import port_faults
from gitops.fleet.salvage import salvage
from gitops.fleet.sources import Sources, blamed, depends_on_values, placed
from gitops.fleet.wiring import architecture_faults, secret_faults, wiring_faults
from gitops.fleet.wording import Fault, did_you_mean, faults
from gitops.system.errors import Problem


@dataclass(frozen=True, eq=False)
class Inspection:
    """One look at all instances.

    Args:
        fleet: what could be read.
        sources: what it was read from.
        sound: the images whose line of parents is whole.
        broken: apps whose variables or parameters are wrong whatever their instances say.
    """

    fleet: Fleet
    sources: Sources
    sound: frozenset[str]
    broken: frozenset[str]
    _seen: set[str] = field(default_factory=set)

    def problems(self) -> Iterator[Problem]:
        """Tell everything that is wrong with instances, and with apps that have none which could tell."""
        for host in self.fleet.hosts:
            yield from self._host(host)
        for name, app in self.fleet.apps.items():
            if name not in self._seen:
                yield from self._unplaced(app)

    def _host(self, host: str) -> Iterator[Problem]:
        """Look at each instance of a host, and at the ports that they want."""
        document = self.sources.hosts[host]
        yield from (placed(document, fault) for fault in secret_faults(self.fleet.hosts[host], self.sources))
        apps: dict[str, App | None] = {}
        for name, placement in self.fleet.hosts[host].instances.items():
            if placement.app not in self.sources.names["apps"]:
                hint = did_you_mean(placement.app, self.sources.names["apps"])
                yield document.problem(("instances", name, "app"), f"unknown app `{placement.app}`", hint)
            elif placement.app in self.fleet.apps:
                app = self.fleet.apps[placement.app]
                wrong = [] if placement.app in self.broken else list(placement_faults(app, placement, name))
                yield from (placed(document, fault) for fault in wrong)
                if not wrong and placement.app not in self.broken:
                    found, apps[name] = self._instance(host, name, placement)
                    yield from (blamed(self.sources, host, name, placement, fault) for fault in found)
        yield from self._ports(host, {name: app for name, app in apps.items() if app})

    def _instance(self, host: str, name: str, placement: Placement) -> tuple[list[Fault], App | None]:
        app = self.fleet.apps[placement.app]
        values = values_of(app, placement, name=name, host=host, fleet=self.fleet.settings.name)
        if unset := list(value_faults(app, values)):
            return unset, None
        self._seen.add(app.name)
        found: list[Fault] = []
        definition: App | None
        try:
            definition = self.fleet.instance(host, name).definition
        except ValidationError as error:
            found = faults(error, App, app.document)
            definition = salvage(App, filled(app, values), found)
        if definition:
            found += wiring_faults(definition, self.sources)
            found += architecture_faults(definition, self.fleet, host, self.sound)
        return found, definition

    def _ports(self, host: str, apps: dict[str, App]) -> Iterator[Problem]:
        for name, other, fault in port_faults(apps):
            placement = self.fleet.hosts[host].instances[name]
            problem = blamed(self.sources, host, name, placement, fault)
            if name != other and problem.file == self.sources.apps[placement.app].file:
                problem = self.sources.hosts[host].problem(
                    ("instances", name), fault.message, "give the app a parameter for the port", key=True
                )
            yield problem

    def _unplaced(self, app: AppDefinition) -> Iterator[Problem]:
        """Look at an app as far as that can be done without the values that an instance would give."""
        content = filled_with_samples(app)
        found: list[Fault] = []
        try:
            definition: App | None = App.model_validate(content)
        except ValidationError as error:
            found = faults(error, App, app.document)
            definition = salvage(App, content, found)
        if definition:
            found += wiring_faults(definition, self.sources)
        document = self.sources.apps[app.name]
        yield from (placed(document, fault) for fault in found if not depends_on_values(document, fault))
