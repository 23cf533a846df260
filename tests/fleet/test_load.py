"""Every fault has its own message, at its own place, with the nearest right word."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops.fleet.load import load
from gitops.fleet.root import find_root
from gitops.system.errors import UserError
from tests.fleet.conftest import FILES, Write, problems_of, told

BLOG, HOST = "apps/blog.yaml", "hosts/one.yaml"

FAULTS: dict[str, tuple[dict[str, dict[str, str] | str | None], str]] = {
    "unknown key": (
        {"images/db.yaml": {"packages": "pakages"}},
        "images/db.yaml:2:1: unknown key `pakages` | did you mean `packages`?",
    ),
    "unknown key deep in an app": (
        {BLOG: {"    image: db": "    imgae: x\n    image: db"}},
        "apps/blog.yaml:13:5: unknown key `imgae` | did you mean `image`?",
    ),
    "wrong type": (
        {"images/db.yaml": {"[mariadb-server]": "mariadb-server"}},
        "images/db.yaml:2:11: `packages` must be a list, not 'mariadb-server'",
    ),
    "a number for a text": (
        {BLOG: {'"$$HOME"': "5"}},
        "apps/blog.yaml:19:65: each of `command` must be a text, not the number 5 | put it in quotes",
    ),
    "a word that is not among the few": (
        {HOST: {"backup:": "architecture: arm46\nbackup:"}},
        "hosts/one.yaml:1:15: `architecture` must be `amd64` or `arm64`, not 'arm46' | did you mean `arm64`?",
    ),
    "a missing key": (
        {"images/db.yaml": {"from: base\n": ""}},
        "images/db.yaml:1:1: `from` is missing | The image below this one; `scratch` for a base.",
    ),
    "missing parent": (
        {"images/db.yaml": {"base": "bsae"}},
        "images/db.yaml:1:7: unknown image `bsae` | did you mean `base`?",
    ),
    "cycle": (
        {"images/base.yaml": {"scratch\narchive: trixie": "site"}},
        "images/base.yaml:1:7: an image cannot stand on itself: base → site → base",
    ),
    "a base without an archive": (
        {"images/base.yaml": {"archive: trixie\n": ""}},
        "images/base.yaml:1:1: an image from scratch needs `archive`, the archive its packages come from",
    ),
    "unknown archive": (
        {"images/base.yaml": {"trixie": "trixi"}},
        "images/base.yaml:2:10: unknown archive `trixi` | did you mean `trixie`?",
    ),
    "archives without a common architecture": (
        {"fleet.yaml": {"own.asc": "own.asc\n    architectures: [arm64]", "[amd64, arm64]": "[amd64]"}},
        "images/site.yaml:2:12: trixie and own have no architecture in common",
    ),
    "a host that an image is not made for": (
        {HOST: {"backup:": "architecture: arm64\nbackup:"}},
        (
            "apps/blog.yaml:6:12: one is arm64, site is for amd64"
            " | name the architecture in each of the image's archives"
        ),
    ),
    "keyring missing": (
        {"fleet.yaml": {"keys/own.asc": "keys/onw.asc"}},
        "fleet.yaml:10:14: there is no file keys/onw.asc",
    ),
    "keyring outside": (
        {"fleet.yaml": {"keys/own.asc": "../own.asc"}},
        "fleet.yaml:10:14: '../own.asc' leaves the fleet",
    ),
    "a path that leaves the fleet": (
        {"images/site.yaml": {"site.conf": "../../secret"}},
        "images/site.yaml:5:13: '../../secret' leaves the fleet; write a path inside it",
    ),
    "a file to copy that is not there": (
        {"images/site.yaml": {"site.conf": "siet.conf"}},
        "images/site.yaml:5:13: images/site/siet.conf does not exist",
    ),
    "unknown variable": (
        {BLOG: {"${domain}": "${domian}"}},
        "apps/blog.yaml:8:24: unknown parameter `domian` | did you mean `domain`?",
    ),
    "a variable that is none": (
        {BLOG: {"${domain}": "$1"}},
        "apps/blog.yaml:8:24: '$1': no name follows the $ | write ${NAME}, or $$ for a plain $",
    ),
    "a test without a parameter": (
        {BLOG: {"jobs:": "test: {}\njobs:"}},
        "apps/blog.yaml:18:1: the test lacks the parameter `domain` of blog",
    ),
    "a test with a parameter that there is not": (
        {BLOG: {"jobs:": "test: {parameters: {domain: x, port: 1, prot: 2}}\njobs:"}},
        "apps/blog.yaml:18:41: unknown parameter `prot` | did you mean `port`?",
    ),
    "a test that asks nobody": (
        {
            BLOG: {
                "jobs:": "test: {parameters: {domain: x, port: 1}, checks: [{service: wbe, http: /}]}\njobs:"
            }
        },
        "apps/blog.yaml:18:61: unknown service `wbe` | did you mean `web`?",
    ),
    "a test that asks two things": (
        {
            BLOG: {
                "jobs:": "test: {parameters: {domain: x, port: 1}, "
                "checks: [{service: web, http: /, command: id}]}\njobs:"
            }
        },
        "apps/blog.yaml:18:51: write `command` or `http`, one of them",
    ),
    "a test of a page that is no path": (
        {
            BLOG: {
                "jobs:": "test: {parameters: {domain: x, port: 1}, "
                'checks: [{service: web, http: "/ HTTP/1.1"}]}\njobs:'
            }
        },
        "apps/blog.yaml:18:72: `http` must be a path, for example /login?lang=en, not '/ HTTP/1.1'",
    ),
    "a test's secret that no service has": (
        {BLOG: {"jobs:": "test: {parameters: {domain: x, port: 1}, secrets: {mial: x}}\njobs:"}},
        "apps/blog.yaml:18:52: unknown secret `mial` | did you mean `mail`?",
    ),
    "an image's test that is none": (
        {"images/db.yaml": {"from: base": "test: [{comand: id}]\nfrom: base"}},
        "images/db.yaml:1:9: unknown key `comand` | did you mean `command`?",
    ),
    "unknown parameter": (
        {HOST: {"port: 8002": "port: 8002, domian: x"}},
        "hosts/one.yaml:8:55: unknown parameter `domian` | did you mean `domain`?",
    ),
    "missing parameter": (
        {HOST: {", port: 8002": ""}},
        "hosts/one.yaml:6:3: bob lacks the parameter `port` of blog",
    ),
    "a parameter of the wrong type": (
        {HOST: {"8002": "eight"}},
        "hosts/one.yaml:8:49: `port` must be a whole number",
    ),
    "a default of the wrong type": (
        {BLOG: {"domain: {}": "domain: {default: 3}"}},
        "apps/blog.yaml:2:21: `default` must be a text; put it in quotes",
    ),
    "parameters that differ only in case": (
        {BLOG: {"domain: {}": "domain: {}\n  Domain: {default: x}"}},
        "apps/blog.yaml:3:3: `Domain` and `domain` differ only in case | rename one",
    ),
    "a parameter that hides a name": (
        {BLOG: {"domain: {}": "domain: {}\n  host: {default: x}"}},
        "apps/blog.yaml:3:3: `host` always has a value of its own | choose another name",
    ),
    "a value that its place cannot have": (
        {HOST: {"8002": "80020"}},
        "hosts/one.yaml:8:49: 80020 is not a port or a range of ports from 1 to 65535 (apps/blog.yaml:7)",
    ),
    "unknown app": (
        {HOST: {"app: blog": "app: blgo"}},
        "hosts/one.yaml:4:10: unknown app `blgo` | did you mean `blog`?",
    ),
    "bad schedule": (
        {BLOG: {"*/5 * * * *": "*/5 * * *"}},
        (
            "apps/blog.yaml:19:34: '*/5 * * *' is not a schedule; write five fields, as in crontab(5):"
            " minute, hour, day of the month, month, day of the week"
        ),
    ),
    "bad duration": (
        {"images/db.yaml": {"{test:": "{interval: 5 minutes, test:"}},
        "images/db.yaml:3:25: '5 minutes' is not a duration; write for example 30s, 5m or 1h30m",
    ),
    "job of no service": (
        {BLOG: {"{service: web": "{service: wbe"}},
        "apps/blog.yaml:19:19: unknown service `wbe` | did you mean `web`?",
    ),
    "backup of no service": (
        {BLOG: {"{service: db": "{service: dbs"}},
        "apps/blog.yaml:16:25: unknown service `dbs` | did you mean `db`?",
    ),
    "backup of no volume": (
        {BLOG: {"[uploads]": "[upload]"}},
        "apps/blog.yaml:17:13: unknown volume `upload` | did you mean `uploads`?",
    ),
    "backup with a password that its service has not": (
        {BLOG: {"name: blog}": "name: blog, user: me, password: mail}"}},
        "apps/blog.yaml:16:76: unknown secret `mail`",
    ),
    "drill asks no service": (
        {BLOG: {"jobs:": "  verify: [{service: wbe, command: 'true'}]\njobs:"}},
        "apps/blog.yaml:18:22: unknown service `wbe` | did you mean `web`?",
    ),
    "drill asks a service without a database": (
        {BLOG: {"jobs:": "  verify: [{service: web, query: SELECT 1, expect: '1'}]\njobs:"}},
        (
            "apps/blog.yaml:18:34: no database of web is backed up"
            " | only a database that is backed up can be asked; `command` asks anything else"
        ),
    ),
    "drill asks a database that is not backed up": (
        {BLOG: {"jobs:": "  verify: [{service: db, database: blg, query: SELECT 1, expect: '1'}]\njobs:"}},
        "apps/blog.yaml:18:36: unknown database `blg` | did you mean `blog`?",
    ),
    "depends_on no service": (
        {BLOG: {"[db]": "[bd]"}},
        "apps/blog.yaml:9:18: unknown service `bd` | known: db, web",
    ),
    "depends_on in a circle": (
        {BLOG: {"image: db": "image: db\n    depends_on: {web: {condition: service_started}}"}},
        "apps/blog.yaml:14:18: these services wait for each other: web → db → web",
    ),
    "two containers on one port": (
        {BLOG: {"backup:\n": "rollout: {order: start-first}\nbackup:\n"}},
        (
            "apps/blog.yaml:15:18: web publishes a port of the host, which two containers cannot share"
            " | write stop-first, or let a proxy reach the service over a network"
        ),
    ),
    "a batch of nothing": (
        {BLOG: {"backup:\n": "rollout: {batch: 0}\nbackup:\n"}},
        (
            "apps/blog.yaml:15:18: `batch` must be a number of instances, or a part of them, for example 10%,"
            " not '0'"
        ),
    ),
    "a batch of more than all": (
        {BLOG: {"backup:\n": "rollout: {batch: 101%}\nbackup:\n"}},
        (
            "apps/blog.yaml:15:18: `batch` must be a number of instances, or a part of them, for example 10%,"
            " not '101%'"
        ),
    ),
    "unknown image of a service": (
        {BLOG: {"image: db": "image: bd"}},
        "apps/blog.yaml:13:12: unknown image `bd` | known: base, db, site",
    ),
    "a secret that is not there": (
        {BLOG: {"[mail]": "[male]"}},
        "apps/blog.yaml:11:15: there is no secrets/male.age | `gitops secret set male` makes it",
    ),
    "a secret for notifications that is not there": (
        {"fleet.yaml": {"name:": "notifications: {to: [mail, male]}\nname:"}},
        "fleet.yaml:1:28: there is no secrets/male.age | `gitops secret set male` makes it",
    ),
    "services that differ only in case": (
        {BLOG: {"backup:\n": "  Web: {image: site}\nbackup:\n"}},
        "apps/blog.yaml:15:3: `Web` and `web` differ only in case | rename one",
    ),
    "a key twice": (
        {"images/db.yaml": {"from: base\n": "from: base\nfrom: base\n"}},
        "images/db.yaml:2:1: `from` stands here a second time | keep one",
    ),
    "a tab": (
        {"images/db.yaml": {"packages": "\tpackages"}},
        "images/db.yaml:2:1: a tab cannot indent YAML | use spaces",
    ),
    "an empty file": ({"images/db.yaml": ""}, "images/db.yaml:1:1: is empty"),
    "a list": ({"images/db.yaml": "- a\n"}, "images/db.yaml:1:1: is not a mapping; write `key: value` lines"),
    ".yml": ({"images/foo.yml": "x"}, "images/foo.yml: must end in .yaml | rename it to foo.yaml"),
    "no name": (
        {"images/Two_Words.yaml": "from: base\n"},
        (
            "images/Two_Words.yaml: `Two_Words` is not a name | a name has lower-case letters, digits and"
            " hyphens, at most 63; rename it to two-words.yaml"
        ),
    ),
    "scratch": (
        {"images/scratch.yaml": "from: base\n"},
        "images/scratch.yaml: `scratch` means no image at all | choose another name",
    ),
    "a stray file": (
        {"apps/notes.txt": "x"},
        "apps/notes.txt: is not expected here | apps are files apps/NAME.yaml",
    ),
    "a directory of no image": (
        {"images/other/file": "x"},
        "images/other: belongs to no image | its image would be images/other.yaml",
    ),
    "files that differ only in case": (
        {"images/Site.yaml": "from: base\n"},
        "images/site.yaml: differs from images/Site.yaml only in case | rename one",
    ),
}


def test_the_fleet_that_the_tests_break_is_whole(fleet_with: Write) -> None:
    fleet = load(fleet_with({}))
    assert list(fleet.images) == ["base", "db", "site"]
    web = fleet.instance("one", "bob").definition.services["web"]
    assert web.environment == {"URL": "http://bob.example.org"}
    assert web.ports[0].pairs() == [(8002, 80)]
    assert fleet.instance("one", "bob").definition.jobs["tick"].command == ("tick", "$HOME", "bob")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_where_it_is_with_the_nearest_right_word(fault: str, fleet_with: Write) -> None:
    changes, message = FAULTS[fault]
    assert message in told(fleet_with(changes))


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_is_told_twice_or_in_the_words_of_a_library(fault: str, fleet_with: Write) -> None:
    lines = told(fleet_with(FAULTS[fault][0]))
    assert len(lines) == len(set(lines))
    assert not [line for line in lines if "Input" in line or "pydantic" in line or "Value error" in line]


def test_all_faults_are_told_in_one_run_and_in_order(fleet_with: Write) -> None:
    root = fleet_with(
        {
            "images/db.yaml": {"base": "bsae", "packages": "pakages"},
            "fleet.yaml": {"own.asc": "onw.asc", "suites": "suits"},
            BLOG: {"[db]": "[bd]", "*/5": "*/x", "image: db": "image: bd\n    cpu: 1"},
            HOST: {"8002": "8001", "instances:": "instances:\n  carol: {app: blgo}"},
        }
    )
    assert [":".join(line.split(":")[:3]) for line in told(root)] == [
        "apps/blog.yaml:9:18",
        "apps/blog.yaml:13:12",
        "apps/blog.yaml:14:5",
        "apps/blog.yaml:20:34",
        "fleet.yaml:3:3",
        "fleet.yaml:5:5",
        "fleet.yaml:10:14",
        "hosts/one.yaml:3:16",
        "hosts/one.yaml:9:49",
        "images/db.yaml:1:7",
        "images/db.yaml:2:1",
    ]


def test_two_instances_on_one_port_are_told_at_the_second_ones_parameter(fleet_with: Write) -> None:
    assert told(fleet_with({HOST: {"8002": "8001"}})) == [
        "hosts/one.yaml:8:49: bob/web publishes 127.0.0.1:8001/tcp, which alice/web has (apps/blog.yaml:7)"
    ]


def test_two_instances_of_an_app_with_a_fixed_port_are_told_at_the_second(fleet_with: Write) -> None:
    assert told(fleet_with({BLOG: {"127.0.0.1:${port}:80": "8080:80"}})) == [
        (
            "hosts/one.yaml:6:3: bob/web publishes 8080/tcp, which alice/web has"
            " | give the app a parameter for the port"
        )
    ]


def test_a_symlink_out_of_the_fleet_is_refused_wherever_it_stands(fleet_with: Write) -> None:
    root = fleet_with({"images/site/site.conf": None, HOST: "{}\n"})
    (root / "images/site").mkdir()
    (root / "images/site/site.conf").symlink_to("/etc/passwd")
    (root / "images/out.yaml").symlink_to("/etc/hostname")
    assert told(root)[:1] == [
        "images/out.yaml: is a symlink that leaves the fleet | put the file itself there"
    ]
    assert (
        "images/site.yaml:5:13: images/site/site.conf is a symlink that leaves the fleet"
        " | put the file itself there"
    ) in told(root)


def test_an_app_that_no_host_runs_is_looked_at_too(fleet_with: Write) -> None:
    root = fleet_with({HOST: "{}\n", BLOG: {"[db]": "[bd]", "tick: {": "tick: {stdin: true, "}})
    assert [line.split(": ", 1)[1] for line in told(root)] == [
        "unknown service `bd` | known: db, web",
        "unknown key `stdin`",
    ]


def test_what_is_wrong_in_an_app_is_told_once_however_many_instances_it_has(fleet_with: Write) -> None:
    many = "".join(f"  i{n}: {{app: blog, parameters: {{domain: x, port: {9000 + n}}}}}\n" for n in range(50))
    root = fleet_with({HOST: f"instances:\n{many}", BLOG: {"*/5": "*/x"}})
    assert len(told(root)) == 1


def test_bytes_that_are_not_utf_8_are_told_where_they_are(fleet_with: Write) -> None:
    root = fleet_with({})
    (root / "images/db.yaml").write_bytes(b"from: base\npackages: [caf\xe9]\n")
    assert told(root)[-1] == "images/db.yaml:2:15: is not UTF-8 | save the file as UTF-8"


def test_the_fleet_is_found_from_any_directory_inside_it(fleet_with: Write) -> None:
    root = fleet_with({})
    assert find_root(root / "images" / "site") == root
    with pytest.raises(UserError, match=r"no fleet\.yaml"):
        find_root(Path("/proc"))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    file=st.sampled_from([file for file in FILES if file.endswith(".yaml")]),
    edits=st.lists(
        st.tuples(
            st.floats(0, 1),
            st.integers(0, 12),
            st.text(st.sampled_from("abz01 \n\t:-[]{}\"'$*&#!|>%@`,é\x00"), max_size=6),
        ),
        max_size=4,
    ),
)
def test_any_text_gives_a_fleet_or_problems_inside_the_files(
    fleet_with: Write, file: str, edits: list[tuple[float, int, str]]
) -> None:
    text = FILES[file]
    for share, length, new in edits:
        start = int(share * len(text))
        text = text[:start] + new + text[start + length :]
    root = fleet_with({file: text})
    for problem in problems_of(root):
        lines = (root / problem.file).read_text().split("\n")
        assert problem.message
        assert problem.line <= len(lines)
        assert problem.column <= len(lines[problem.line - 1]) + 1
