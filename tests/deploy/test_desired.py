from pathlib import Path

import pytest

from gitops.deploy.desired import CAPABILITIES, Desired, SecretFiles, desired
from gitops.engine.specification import (
    ContainerSpec,
    DependencySpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    VolumeSpec,
    digests,
)
from gitops.fleet.apps import Parameter
from gitops.fleet.fleet import AppDefinition, Fleet
from gitops.fleet.hosts import Host
from gitops.fleet.images import Image
from gitops.fleet.settings import Settings

SETTINGS = Settings.model_validate(
    {"name": "f", "archives": {"a": {"mirror": "http://mirror.example.org/debian", "suites": ["trixie"]}}}
)
CHECK = {"test": ["curl", "-f", "http://localhost/"], "interval": "1m30s", "timeout": "250ms"}


def wanted(services: dict[str, object], images: dict[str, dict[str, object]] | None = None) -> Desired:
    made = {name: Image.model_validate({"from": "scratch", "archive": "a"}) for name in ("db", "web")}
    made |= {name: Image.model_validate(one) for name, one in (images or {}).items()}
    app = AppDefinition(
        "blog",
        Path("apps/blog.yaml"),
        {"services": services},
        {"port": Parameter(type="integer", default=80)},
    )
    host = Host.model_validate({"instances": {"alice": {"app": "blog"}}})
    fleet = Fleet(Path("/fleet"), SETTINGS, made, {"blog": app}, {"web1": host}, frozenset({"password"}))
    references = {(name, "amd64"): f"f/{name}:0123" for name in made}
    return desired(fleet, "web1", references, SecretFiles(Path("/secrets"), {"password": "cafe"}))


def only(**service: object) -> ContainerSpec:
    (spec,) = wanted({"web": {"image": "web", **service}}).containers
    return spec


def test_an_instance_has_a_network_on_which_its_services_find_each_other_by_name() -> None:
    found = wanted({"db": {"image": "db"}, "web": {"image": "web"}})
    assert found.networks == (NetworkSpec("f.alice.default", "alice", "default"),)
    assert [one.networks for one in found.containers] == [
        (("f.alice.default", ("db",)),),
        (("f.alice.default", ("web",)),),
    ]


def test_named_networks_replace_the_default_one_and_add_aliases() -> None:
    spec = only(networks={"back": {"aliases": ["www"]}, "front": None})
    assert spec.networks == (("f.alice.back", ("web", "www")), ("f.alice.front", ("web",)))


def test_containers_come_in_the_order_in_which_they_start() -> None:
    services: dict[str, object] = {
        "a": {"image": "web", "depends_on": ["c"]},
        "b": {"image": "web"},
        "c": {"image": "web", "depends_on": ["d"]},
        "d": {"image": "db"},
    }
    assert [one.service for one in wanted(services).containers] == ["d", "c", "a", "b"]


def test_a_dependency_waits_for_health_where_the_service_has_a_check_of_its_own() -> None:
    found = wanted(
        {"db": {"image": "db", "healthcheck": CHECK}, "web": {"image": "web", "depends_on": ["db"]}}
    )
    assert found.containers[1].depends_on == (DependencySpec("db", "service_healthy"),)


def test_a_dependency_waits_for_health_where_an_image_below_has_a_check() -> None:
    images: dict[str, dict[str, object]] = {
        "below": {"from": "scratch", "archive": "a", "healthcheck": CHECK},
        "db": {"from": "below"},
    }
    services: dict[str, object] = {"db": {"image": "db"}, "web": {"image": "web", "depends_on": ["db"]}}
    assert wanted(services, images).containers[1].depends_on[0].condition == "service_healthy"
    services["db"] = {"image": "db", "healthcheck": {"disable": True}}
    assert wanted(services, images).containers[1].depends_on[0].condition == "service_started"


def test_a_dependency_without_a_check_is_only_started_unless_the_definition_says_more() -> None:
    services: dict[str, object] = {"db": {"image": "db"}, "web": {"image": "web", "depends_on": ["db"]}}
    assert wanted(services).containers[1].depends_on[0].condition == "service_started"
    services["web"] = {
        "image": "web",
        "depends_on": {"db": {"condition": "service_completed_successfully", "restart": True}},
    }
    assert wanted(services).containers[1].depends_on == (
        DependencySpec("db", "service_completed_successfully", restart=True),
    )


def test_a_check_is_in_nanoseconds_and_may_leave_the_test_to_the_image() -> None:
    check = only(healthcheck=CHECK).healthcheck
    assert check
    assert (check.test[0], check.interval, check.timeout) == ("CMD", 90_000_000_000, 250_000_000)
    slower = only(healthcheck={"interval": "5m"}).healthcheck
    assert slower
    assert (slower.test, slower.interval) == ((), 300_000_000_000)
    off = only(healthcheck={"disable": True}).healthcheck
    assert off
    assert off.test == ("NONE",)


def test_a_container_has_what_debians_daemons_need_and_no_more() -> None:
    spec = only()
    assert spec.capabilities == CAPABILITIES
    assert spec.security_opt == ("no-new-privileges",)
    assert spec.restart == "unless-stopped"


@pytest.mark.parametrize(
    ("added", "dropped", "kept"),
    [
        (["SYS_PTRACE"], ["KILL"], {*CAPABILITIES, "SYS_PTRACE"} - {"KILL"}),
        (["CAP_SYS_PTRACE"], [], {*CAPABILITIES, "SYS_PTRACE"}),
        (["CHOWN"], ["ALL"], {"CHOWN"}),
        ([], ["ALL"], set()),
    ],
)
def test_a_definition_can_ask_for_more_or_fewer(added: list[str], dropped: list[str], kept: set[str]) -> None:
    assert set(only(cap_add=added, cap_drop=dropped).capabilities) == kept


def test_volumes_belong_to_the_instance_and_directories_to_the_host() -> None:
    found = wanted({"web": {"image": "web", "volumes": ["data:/data:ro", "/srv/x:/x"], "tmpfs": "/run"}})
    assert found.containers[0].volumes == (
        MountSpec("volume", "f.alice.data", "/data", read_only=True),
        MountSpec("bind", "/srv/x", "/x"),
        MountSpec("tmpfs", "", "/run"),
    )
    assert found.volumes == (VolumeSpec("f.alice.data", "alice", "data"),)


def test_a_directory_that_the_image_calls_data_gets_a_volume_with_a_name_that_lasts() -> None:
    images: dict[str, dict[str, object]] = {
        "web": {"from": "scratch", "archive": "a", "volumes": ["/var/lib/data", "/srv"]}
    }
    found = wanted({"web": {"image": "web", "volumes": ["own:/srv", "/anonymous"]}}, images)
    assert {one.target: one.source for one in found.containers[0].volumes} == {
        "/srv": "f.alice.own",
        "/anonymous": "f.alice.web-anonymous",
        "/var/lib/data": "f.alice.web-var-lib-data",
    }


def test_ranges_of_ports_become_single_ports() -> None:
    assert only(ports=["127.0.0.1:${port}-81:8000-8001", "53/udp"]).ports == (
        PortSpec(8000, 80, "127.0.0.1", "tcp"),
        PortSpec(8001, 81, "127.0.0.1", "tcp"),
        PortSpec(53, None, "", "udp"),
    )


def test_a_secret_that_is_set_again_changes_its_services_and_no_digest_is_of_its_value() -> None:
    spec = only(secrets=[{"source": "password", "target": "db", "uid": "33", "mode": "0440"}])
    (secret,) = spec.secrets
    assert (secret.target, secret.uid, secret.mode, secret.digest) == ("db", 33, 0o440, "cafe")
    assert spec.secrets_directory == "/secrets/alice/web"
    assert "secrets" in digests(spec)


def test_the_same_fleet_gives_the_same_desired_state() -> None:
    services: dict[str, object] = {
        "web": {"image": "web", "environment": {"B": 1, "A": 2}, "labels": {"x": "y"}}
    }
    assert wanted(services) == wanted(services)
