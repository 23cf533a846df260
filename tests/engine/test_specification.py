from dataclasses import replace

from gitops.engine.labels import parse_digests
from gitops.engine.request import create_request
from gitops.engine.specification import (
    ContainerSpec,
    DependencySpec,
    HealthSpec,
    MountSpec,
    PortSpec,
    SecretSpec,
    digests,
    format_digests,
)

SPEC = ContainerSpec(
    "f.a.web", "a", "web", "f/web:1", "web", (("f.a.default", ("web",)), ("f.a.back", ("web",)))
)


def test_a_changed_field_changes_its_own_digest_alone() -> None:
    before, after = digests(SPEC), digests(replace(SPEC, environment=(("A", "1"),)))
    assert {name for name in before | after if before.get(name) != after.get(name)} == {"environment"}


def test_when_a_container_starts_is_not_part_of_what_it_is() -> None:
    assert digests(replace(SPEC, depends_on=(DependencySpec("db", "service_started"),))) == digests(SPEC)


def test_digests_survive_their_way_through_a_label() -> None:
    found = digests(replace(SPEC, user="www-data", ports=(PortSpec(80, 8080, "127.0.0.1", "tcp"),)))
    assert parse_digests(format_digests(found)) == found


def test_a_label_that_someone_else_wrote_is_no_digest_and_no_error() -> None:
    assert parse_digests("nonsense") == {}
    assert parse_digests("") == {}


def test_a_request_asks_for_one_network_since_old_engines_take_no_more() -> None:
    request = create_request(SPEC, "f", "h", "c")
    assert list(request["NetworkingConfig"]["EndpointsConfig"]) == ["f.a.default"]


def test_what_the_definition_does_not_say_is_left_to_the_image() -> None:
    request = create_request(SPEC, "f", "h", "c")
    assert not {"Cmd", "Entrypoint", "User", "WorkingDir", "Healthcheck"} & request.keys()


def test_limits_mounts_and_checks_are_in_the_engines_units() -> None:
    spec = replace(
        SPEC,
        mem_limit=512 << 20,
        cpus=1.5,
        ulimits=(("nofile", 1024, 2048),),
        restart="on-failure:3",
        volumes=(
            MountSpec("volume", "f.a.data", "/data", read_only=True),
            MountSpec("tmpfs", "", "/t", size=9),
        ),
        ports=(PortSpec(80, 8080, "127.0.0.1", "tcp"), PortSpec(80, None, "", "tcp")),
        healthcheck=HealthSpec(("CMD", "true"), 10**9, 2 * 10**9, 3, 0),
    )
    request = create_request(spec, "f", "h", "c")
    host = request["HostConfig"]
    assert (host["Memory"], host["NanoCpus"]) == (512 << 20, 1_500_000_000)
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert host["Mounts"][0] == {"Type": "volume", "Source": "f.a.data", "Target": "/data", "ReadOnly": True}
    assert host["Mounts"][1]["TmpfsOptions"] == {"SizeBytes": 9}
    assert [one["HostPort"] for one in host["PortBindings"]["80/tcp"]] == ["8080", ""]
    assert request["Healthcheck"]["Interval"] == 1_000_000_000


def test_a_definition_cannot_pass_its_own_labels_off_as_ours() -> None:
    request = create_request(replace(SPEC, labels=(("gitops.fleet", "other"),)), "f", "h", "c")
    assert request["Labels"]["gitops.fleet"] == "f"


def test_a_secret_reaches_the_request_as_a_mount_and_its_digest_never_as_content() -> None:
    secret = SecretSpec("password", "password", 33, 33, 0o400, "0123abcd")
    spec = replace(SPEC, secrets=(secret,), secrets_directory="/run/gitops/secrets/a/web")
    request = create_request(spec, "f", "h", "c")
    place = f"/run/gitops/secrets/a/web.{digests(spec)['secrets']}"
    assert request["HostConfig"]["Mounts"] == [
        {"Type": "bind", "Source": place, "Target": "/run/secrets", "ReadOnly": True}
    ]
    again = replace(spec, secrets=(replace(secret, digest="ffff0000"),))
    assert digests(again)["secrets"] != digests(spec)["secrets"]
