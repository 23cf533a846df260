"""A service of a Compose file, key by key: what stays, what is written otherwise, what has no counterpart."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from gitops.compose.names import named
from gitops.compose.recipes import Recipe
from gitops.compose.source import Source, listed
from gitops.fleet.document import At
from gitops.fleet.images import Healthcheck
from gitops.fleet.services import NetworkUse
from gitops.fleet.services import Service as Ours
from gitops.fleet.wording import did_you_mean

_ELSEWHERE = {"image", "build", "environment", "env_file", "ports", "volumes", "profiles", "secrets"}
"""What other modules see to."""

_WHY: Mapping[str, str] = {
    "container_name": "each instance names its containers: FLEET.INSTANCE.SERVICE",
    "links": "services of an instance find each other by name",
    "platform": "hosts/NAME.yaml says what a machine is",
    "pull_policy": "images are built from the fleet, or taken from its own registry",
    "scale": "write an instance for each copy",
    "expose": "services of an instance reach each other's ports anyway",
    "privileged": "it would be root on the host: say with cap_add what it needs",
    "network_mode": "an instance has networks of its own",
    "devices": "there is no counterpart for devices of the host",
    "extends": "write what it takes from the other service",
    "configs": "copy it into the image: `copy` in images/NAME.yaml",
    "pid": "containers do not see the host's processes",
    "ipc": "containers do not share the host's memory",
    "stdin_open": "nobody sits before a service",
    "tty": "nobody sits before a service",
    "develop": "it is about writing the program, not about running it",
    "dns": "the engine's own resolver is used; /etc/docker/daemon.json says where it asks",
    "sysctls": "set them on the host",
    "group_add": "write user: USER:GROUP, or make the group in the image",
    "volumes_from": "name the volume in both services",
    "runtime": "the engine's own runtime is used",
}


def translate(source: Source, service: dict[str, Any], at: At, recipe: Recipe | None) -> dict[str, Any]:
    """Give those of a service's keys that need no other module; arguments as for `environment`."""
    kept: dict[str, Any] = {}
    for key, value in service.items():
        if key in _ELSEWHERE or str(key).startswith("x-") or value is None:
            continue
        if key == "deploy" and isinstance(value, dict):
            kept |= {
                name: each for name, each in _deploy(source, value, (*at, key)).items() if name not in service
            }
        elif key in Ours.model_fields:
            change = _CHANGES.get(key, _same)
            kept[key] = change(source, value, (*at, key))
        else:
            hint = "" if key in _WHY else did_you_mean(str(key), [*Ours.model_fields, *_WHY])
            near = hint if hint.startswith("did you mean") else ""
            source.note(
                (*at, key),
                _WHY.get(key) or (near and f"Compose has no such key; {near}") or "has no counterpart",
            )
    if recipe and kept.get("command") and str(kept["command"][0]).startswith("-"):
        kept["command"] = [recipe.program, *kept["command"]]
    return kept


def _same(_source: Source, value: Any, _at: At) -> Any:  # noqa: ANN401 - any YAML
    return value


def _words(source: Source, value: Any, at: At) -> Any:  # noqa: ANN401 - any YAML
    """Split a command as Compose does: like a shell's words, but run by none."""
    if not isinstance(value, str):
        return value
    try:
        return shlex.split(value)
    except ValueError as error:
        source.note(at, f"cannot be split into words ({error}): it is run by sh")
        return value


def _networks(source: Source, value: Any, at: At) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(value, list):
        return [named(str(each)) for each in value]
    kept: dict[str, Any] = {}
    for name, use in (value if isinstance(value, dict) else {}).items():
        for key in (use or {}).keys() - NetworkUse.model_fields:
            source.note((*at, name, key), "has no counterpart")
        aliases = [named(str(each)) for each in (use or {}).get("aliases", [])]
        kept[named(str(name))] = {"aliases": aliases} if aliases else {}
    return kept


def _depends_on(_source: Source, value: Any, _at: At) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        return {named(str(name)): condition for name, condition in value.items()}
    return [named(str(name)) for name in listed(value)]


def _healthcheck(source: Source, value: Any, at: At) -> Any:  # noqa: ANN401 - any YAML
    if not isinstance(value, dict):
        return value
    for key in value.keys() - Healthcheck.model_fields:
        source.note((*at, key), "has no counterpart")
    return {key: each for key, each in value.items() if key in Healthcheck.model_fields}


def _tmpfs(source: Source, value: Any, at: At) -> Any:  # noqa: ANN401 - any YAML
    paths = []
    for each in listed(value):
        path, _, options = str(each).partition(":")
        if options:
            source.note(at, f"the options {options} are left out; a volume of type tmpfs takes `size`")
        paths.append(path)
    return paths


_CHANGES: Mapping[str, Callable[[Source, Any, At], Any]] = {
    "command": _words,
    "entrypoint": _words,
    "networks": _networks,
    "depends_on": _depends_on,
    "healthcheck": _healthcheck,
    "tmpfs": _tmpfs,
}


def _deploy(source: Source, deploy: dict[str, Any], at: At) -> dict[str, Any]:
    """Turn what Swarm would do into a service's own keys, as far as it has them."""
    kept: dict[str, Any] = {}
    for key, value in deploy.items():
        place = (*at, key)
        if key == "resources" and isinstance(value, dict):
            kept |= _resources(source, value, place)
        elif key == "restart_policy" and isinstance(value, dict):
            kept |= _restart(source, value, place)
        elif key == "replicas" and value == 1:
            continue
        elif key == "replicas":
            source.note(place, "write an instance for each copy; a service has one container")
        elif key in {"update_config", "rollback_config"}:
            source.note(place, "`rollout` in the app says how a change reaches its instances")
        else:
            source.note(place, "has no counterpart")
    return kept


def _resources(source: Source, resources: dict[str, Any], at: At) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for kind, limits in resources.items():
        for key, value in (limits if isinstance(limits, dict) else {}).items():
            own = {"cpus": "cpus", "memory": "mem_limit", "pids": "pids_limit"}.get(key)
            if kind == "limits" and own:
                kept[own] = value
            else:
                source.note((*at, kind, key), "has no counterpart: limits are, nothing is reserved")
    return kept


def _restart(source: Source, policy: dict[str, Any], at: At) -> dict[str, Any]:
    for key in policy.keys() - {"condition", "max_attempts"}:
        source.note((*at, key), "has no counterpart")
    tries = f":{policy['max_attempts']}" if "max_attempts" in policy else ""
    words = {"none": "no", "on-failure": f"on-failure{tries}", "any": "unless-stopped"}
    return {"restart": words.get(str(policy.get("condition", "any")), "unless-stopped")}
