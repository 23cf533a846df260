"""An app's test has an instance to itself that reaches nobody, knows no real secret, and goes again."""

import io
import signal
import tarfile

import pytest
from docker.api.client import APIClient

from gitops.deploy.desired import desired
from gitops.deploy.host import want
from gitops.fleet.load import load
from gitops.fleet.tests import AppTest
from gitops.system.errors import UserError
from gitops.testing.apps import copy_for_test
from gitops.testing.apps import trial as trial_of
from tests.database_fixtures import until
from tests.testing.conftest import Trial

_SERVER = """\
use IO::Socket::INET; $| = 1; sleep 1;
my $at = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;
my $asked = 0;
while (my $to = $at->accept) {
    my $line = <$to>; my ($path) = $line =~ /^GET (\\S+) /; my $host = "";
    while (<$to> =~ /(\\S+): (\\S+)\\r\\n/) { $host = $2 if $1 eq "Host" }
    my $status = {"/later" => $asked++ > 2 ? 200 : 503, "/gone" => 404, "/moved" => 302}->{$path} || 200;
    print $to "HTTP/1.1 $status X\\r\\nLocation: /there\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n";
    my $body = "$path at $host says $ENV{GREETING} \\e]0;evil\\a";
    printf $to "%x\\r\\n%s\\r\\n0\\r\\n\\r\\n", length $body, $body; close $to;
}
"""
_APP = """\
parameters: {port: {type: integer}, greeting: {default: hello}}
rollout: {wait: 500ms}
services:
  web:
    image: debian
    command: [perl, /server/run.pl]
    environment: {GREETING: "${greeting}"}
    ports: ["127.0.0.1:${port}:8000"]
    secrets: [{source: token, target: api, mode: "0440", gid: 33}, other]
    volumes: ["/srv/of-the-host:/host", "data:/data"]
    stop_grace_period: 1s
  db: {image: tiny, command: [sleep, "99999"], stop_grace_period: 1s}
test:
  parameters: {port: 8001, greeting: good day}
  secrets: {token: not-secret}
"""


@pytest.fixture
def shop(trial: Trial, database_image: str, api: APIClient) -> Trial:
    """An app with a web server, in an image that has Perl, as Debian's all have."""
    files = io.BytesIO()
    with tarfile.open(fileobj=files, mode="w") as tar:
        entry = tarfile.TarInfo("server/run.pl")
        entry.size = len(_SERVER)
        tar.addfile(entry, io.BytesIO(_SERVER.encode()))
    made = api.create_container(database_image, ["true"])["Id"]
    api.put_archive(made, "/", files.getvalue())
    fleet = trial.fleet
    fleet.write("images/debian.yaml", "from: tiny\n")
    for name in ("token", "other"):
        fleet.write(f"secrets/{name}.age", "sealed\n")
    fleet.write("apps/shop.yaml", _APP)
    trial.build()
    repository, _, tag = want(fleet.root, None, fleet.places).references["debian", "amd64"].rpartition(":")
    api.commit(made, repository=repository, tag=tag)
    api.remove_container(made)
    return trial


def _ask(shop: Trial, checks: str) -> tuple[int, list[str]]:
    shop.fleet.write("apps/shop.yaml", f"{_APP}  checks:\n{checks}")
    status, said = shop.run("test", "shop")
    return status, [line.rpartition(" (")[0] if line.startswith("ok") else line for line in said.splitlines()]


def test_pages_and_commands_are_asked_for_in_an_instance_that_reaches_nobody(shop: Trial) -> None:
    status, said = _ask(
        shop,
        """\
    - {service: web, http: "/a?b=c", port: 8000, text: "/a?b=c at web says good day"}
    - {service: web, http: /, port: 8000, host: shop.example.org, text: at shop.example.org says}
    - {service: web, http: /gone, port: 8000, status: 404}
    - {service: web, http: /later, port: 8000}
    - {service: web, command: 'cd /run/secrets; stat -c %a:%g api; cat api', text: "440:33\\nnot-secret"}
    - {service: web, command: 'wc -c </run/secrets/other', text: "32"}
    - {service: web, command: 'test -z "$$(ls -A /host)$$(ls -A /data)" && touch /host/x; ls /host', text: x}
    - {service: web, command: 'getent hosts db'}
    - {service: web, command: [id, -un], user: www-data, text: www-data}
    - {service: web, http: /moved, port: 8000}
    - {service: web, http: /, port: 8001, timeout: 6s}
    - {service: web, http: /, port: 8000, text: good night}
    - {service: db, http: /, timeout: 9s}
    - {service: db, command: "echo said; exit 3"}
""",
    )
    assert status == 1
    assert said == [
        "ok      shop: starts, and is well",
        "ok      shop: web: GET /a?b=c",
        "ok      shop: web: GET /",
        "ok      shop: web: GET /gone",
        "ok      shop: web: GET /later",
        "ok      shop: web: cd /run/secrets; stat -c %a:%g api; cat api",
        "ok      shop: web: wc -c </run/secrets/other",
        'ok      shop: web: test -z "$(ls -A /host)$(ls -A /data)" && touch /host/x; ls /host',
        "ok      shop: web: getent hosts db",
        "ok      shop: web: id -un",
        "failed  shop: web: GET /moved: status 302 instead of 200 (to /there)",
        "        /moved at web says good day \x1b]0;evil\x07",  # a pipe gets every byte
        "failed  shop: web: GET /: nobody listens at port 8001",
        *[line for line in said if "Connection refused" in line],
        "failed  shop: web: GET /: nothing says “good night”",
        "        / at web says good day \x1b]0;evil\x07",
        "failed  shop: db: GET /: the request cannot be made: it needs the image's own Perl",
        *[line for line in said if '"perl"' in line],
        "failed  shop: db: echo said; exit 3: exit status 3",
        "        said",
        "15 tests, 5 failed",
    ]
    assert shop.left() == []


def test_a_service_that_is_ill_fails_the_test_with_its_last_words_and_is_asked_nothing(shop: Trial) -> None:
    check = "{test: 'echo no configuration; false', interval: 100ms, retries: 1}"
    ill = _APP.replace("  db: {image: tiny,", f"  db: {{image: tiny, healthcheck: {check},")
    shop.fleet.write("apps/shop.yaml", ill + "  checks: [{service: web, http: /}]\n")
    status, said = shop.run("test", "shop")
    assert status == 1
    assert said.splitlines() == [
        "failed  shop: starts, and is well: db is unhealthy",
        "        no configuration",
        "1 test, 1 failed",
    ]
    assert shop.left() == []


def test_an_interrupted_test_of_an_app_leaves_nothing(shop: Trial) -> None:
    shop.fleet.write("apps/shop.yaml", _APP.replace("wait: 500ms", "wait: 1h"))
    with shop.start("test", "shop") as process:
        until(lambda: {".db", ".web"} <= {name[name.rindex(".") :] for name in shop.left()})
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert shop.left() == []


def test_what_is_made_for_a_test_needs_nothing_of_a_host(shop: Trial) -> None:
    fleet = trial_of(load(shop.fleet.root), "shop", "amd64")
    names = want(shop.fleet.root, None, shop.fleet.places).references
    copy = copy_for_test(desired(fleet, "test", names), "shop", fleet.settings.name, ".test-1", AppTest())
    web = next(one for one in copy.containers if one.service == "web")
    assert (web.ports, web.secrets, web.labels) == ((), (), ())
    assert {mount.type for mount in web.volumes} == {"volume"}
    assert {mount.source for one in copy.containers for mount in one.volumes} == {
        one.name for one in copy.volumes
    }
    assert all(network.internal for network in copy.networks)
    assert len(set(copy.secrets.values())) == 1


def test_parameters_that_do_not_make_an_instance_are_told_where_they_stand(shop: Trial) -> None:
    shop.fleet.write("apps/shop.yaml", _APP.replace("port: 8001", "port: 99999"))
    with pytest.raises(UserError) as caught:
        trial_of(load(shop.fleet.root), "shop", "amd64")
    assert str(caught.value).startswith("apps/shop.yaml:8:13: ")
