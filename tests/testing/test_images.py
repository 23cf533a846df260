"""An image's commands run in containers of it that reach nobody, and of which nothing is left."""

import json
import signal

from gitops.deploy.swept import abandoned, adopt, sweep
from tests.database_fixtures import until
from tests.testing.conftest import Trial

_IMAGE = """\
from: scratch
archive: a
volumes: [/data]
test:
"""


def test_each_command_is_right_or_wrong_for_a_reason_that_is_told(trial: Trial) -> None:
    trial.fleet.write(
        "images/tiny.yaml",
        _IMAGE
        + """\
  - {command: [echo, "$HOME; $(id)"], text: "$HOME; $(id)"}
  - {command: 'echo "$(id -u) $((1 + 1))"', text: 0 2}
  - {command: "exit 3", status: 3}
  - test "$(ls /sys/class/net)" = lo
  - {command: [id], user: "33:33", text: uid=33 gid=33}
  - {command: "echo >/data/file; ls /data", text: file}
  - test ! -e /data/file
  - 'echo first >&2; echo "last line" >&2; exit 4'
  - {command: [echo, one], text: two}
  - {command: [sleep, "99999"], timeout: 500ms}
  - [no-such-program]
""",
    )
    trial.build()
    status, said = trial.run("test")
    assert status == 1
    lines = [line.rpartition(" (")[0] or line for line in said.splitlines()]
    assert lines[:3] == [
        "ok      tiny: echo '$HOME; $(id)'",
        'ok      tiny: echo "$(id -u) $((1 + 1))"',
        "ok      tiny: exit 3",
    ]
    assert [line.split()[0] for line in lines[:7]] == ["ok"] * 7
    assert lines[7:11] == [
        'failed  tiny: echo first >&2; echo "last line" >&2; exit 4: exit status 4',
        "        first",
        "        last line",
        "failed  tiny: echo one: nothing says “two”",
    ]
    assert lines[12] == "failed  tiny: sleep 99999: not done within 0.5 s"
    assert lines[13].startswith("failed  tiny: no-such-program: cannot be started: "), lines
    assert lines[14:] == ["11 tests, 4 failed"]
    assert trial.left() == []
    assert not list((trial.fleet.places.state / "tests").iterdir())


def test_a_program_gets_the_same_as_json(trial: Trial) -> None:
    trial.fleet.write("images/tiny.yaml", _IMAGE + '  - "true"\n  - [echo, x]\n  - "false"\n')
    trial.build()
    status, said = trial.run("test", "--json", "tiny")
    tests = json.loads(said)["tests"]
    assert status == 1
    assert [(one["kind"], one["name"], one["test"], one["passed"]) for one in tests] == [
        ("image", "tiny", "true", True),
        ("image", "tiny", "echo x", True),
        ("image", "tiny", "false", False),
    ]
    assert tests[2]["wrong"] == "exit status 1"


def test_layers_and_what_changed_since_a_commit_are_tested_alone(trial: Trial) -> None:
    for name, parent in (("one", "tiny"), ("two", "tiny"), ("three", "one")):
        trial.fleet.write(f"images/{name}.yaml", f'from: {parent}\ntest: ["true"]\n')
    trial.build()

    def tested(*args: str) -> set[str]:
        status, said = trial.run("test", *args)
        assert status == 0, said
        return {line.split()[1].rstrip(":") for line in said.splitlines() if line.startswith("ok")}

    assert tested("--layer", "1") == set()
    assert tested("--layer", "2") == {"one", "two"}
    assert tested("--layer", "7") == set()
    assert tested("--changed-since", "HEAD") == set()
    trial.fleet.write("images/one.yaml", 'from: tiny\nenvironment: {A: b}\ntest: ["true"]\n')
    trial.build()
    assert tested("--changed-since", "HEAD~1") == {"one", "three"}
    assert tested("--changed-since", "HEAD~1", "--layer", "3") == {"three"}
    assert tested("three") == {"three"}


def test_an_interrupted_or_killed_test_leaves_nothing(trial: Trial) -> None:
    trial.fleet.write("images/tiny.yaml", _IMAGE + '  - [sleep, "99999"]\n  - "true"\n')
    trial.build()
    with trial.start("test") as process:
        until(lambda: trial.left() and "tiny.0" in trial.left()[0])
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert (process.returncode, said) == (130, "interrupted; run it again to carry on\n")
    assert trial.left() == []
    with trial.start("test") as process:
        until(trial.left)
        process.kill()
    assert trial.left()
    assert abandoned(trial.fleet.places)
    trial.fleet.write("images/tiny.yaml", _IMAGE + '  - "true"\n')
    trial.build()
    assert trial.run("test")[0] == 0
    assert trial.left() == []


def test_what_a_killed_job_left_whose_notes_went_with_it_is_removed_when_it_is_old(trial: Trial) -> None:
    trial.fleet.write("images/tiny.yaml", _IMAGE + '  - [sleep, "99999"]\n')
    trial.build()
    with trial.start("test") as process:
        until(trial.left)
        process.kill()
    places = trial.fleet.places
    for note in (places.state / "tests").iterdir():
        note.unlink()
    adopt(trial.fleet.name, "test", places)
    sweep(trial.fleet.engine, places)
    assert trial.left()
    adopt(trial.fleet.name, "test", places, age=-3600)
    sweep(trial.fleet.engine, places)
    assert trial.left() == []


def test_an_image_that_is_not_built_and_a_name_that_there_is_not_are_told(trial: Trial) -> None:
    trial.fleet.write("images/other.yaml", 'from: tiny\ntest: ["true"]\n')
    trial.fleet.lock()
    assert trial.run("test", "other") == (
        1,
        "images/other.yaml: is not built here yet\n  gitops build other\n",
    )
    status, said = trial.run("test", "otter")
    assert (status, said.splitlines()[0]) == (1, "there is no image or app otter")
