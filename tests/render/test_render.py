"""Rendering writes what follows from the definitions, removes what does no more, and touches nothing else."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops.fleet.fleet import Fleet
from gitops.images.locks import read_locks
from gitops.render.render import render, stale, write
from gitops.system.errors import UserError

Make = Callable[..., Fleet]
FILES = [
    ".github/workflows/gitops.yml",
    "rendered/hosts/web1/cron.d/gitops-shop",
    "rendered/hosts/web1/jobs/@host.json",
    "rendered/hosts/web1/jobs/a.json",
    "rendered/hosts/web1/jobs/b.json",
    "rendered/images/base.amd64.Dockerfile",
    "rendered/images/web.amd64.Dockerfile",
    "rendered/pipeline.sh",
]


def files(fleet: Fleet) -> dict[str, str]:
    return render(fleet, read_locks(fleet))


def gitops(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gitops", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_the_same_fleet_gives_the_same_bytes(make_fleet: Make) -> None:
    first, second = files(make_fleet()), files(make_fleet())
    assert list(first) == FILES
    assert first == second


def test_what_is_right_already_is_left_alone_its_time_too(make_fleet: Make) -> None:
    fleet = make_fleet()
    assert write(fleet.root, files(fleet)) == FILES
    times = [(fleet.root / path).stat().st_mtime_ns for path in FILES]
    assert write(fleet.root, files(fleet)) == []
    assert [(fleet.root / path).stat().st_mtime_ns for path in FILES] == times


def test_only_what_a_change_touches_is_written(make_fleet: Make) -> None:
    fleet = make_fleet()
    write(fleet.root, files(fleet))
    fleet = make_fleet(**{"images/web.yaml": "from: base\npackages: [nginx]\nenvironment: {A: b}\n"})
    assert write(fleet.root, files(fleet)) == ["rendered/images/web.amd64.Dockerfile"]


def test_a_parents_change_moves_the_from_of_its_children(make_fleet: Make) -> None:
    before = files(make_fleet())["rendered/images/web.amd64.Dockerfile"]
    base = "from: scratch\narchive: trixie\npackages: [tini]\nenvironment: {A: b}\n"
    after = files(make_fleet(**{"images/base.yaml": base}))["rendered/images/web.amd64.Dockerfile"]
    different = {a for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b}
    assert [line.partition(":")[0] for line in different] == ["FROM shop/base"]


def test_check_writes_nothing_and_says_which_files_are_stale_and_why(make_fleet: Make) -> None:
    root = make_fleet().root
    assert gitops("render", cwd=root).returncode == 0
    assert gitops("render", "--check", cwd=root).returncode == 0
    (root / FILES[0]).unlink()
    with (root / FILES[6]).open("a") as file:
        file.write("USER nobody\n")
    old = (root / FILES[5]).rename(root / "rendered/images/gone.amd64.Dockerfile")
    done = gitops("render", "--check", cwd=root)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{FILES[0]}: is missing",
        f"{FILES[5]}: is missing",
        f"{old.relative_to(root)}: belongs to nothing any more",
        f"{FILES[6]}: is not what its definition says",
        "  run gitops render, and commit",
    ]
    assert not (root / FILES[0]).exists()
    assert gitops("render", cwd=root).stdout.splitlines() == [
        f"{FILES[0]}: written",
        f"{FILES[5]}: written",
        f"{old.relative_to(root)}: removed",
        f"{FILES[6]}: written",
    ]
    assert gitops("render", "--check", cwd=root).returncode == 0


def test_files_that_belong_no_more_go_and_files_it_did_not_write_stay(make_fleet: Make) -> None:
    fleet = make_fleet()
    write(fleet.root, files(fleet))
    mine = [
        fleet.root / "rendered/README",
        fleet.root / "rendered/hosts/web1/notes",
        fleet.root / "rendered/link",
    ]
    for path in mine[:2]:
        path.write_text("by hand\n")
    mine[2].symlink_to("images/base.amd64.Dockerfile")
    fleet = make_fleet(
        **{
            "fleet.yaml": "name: shop\n"
            'archives: {trixie: {mirror: "https://deb.example.org/debian", suites: [trixie]}}\n',
            "images/web.yaml": None,
            "images/web/site": None,
            "apps/shop.yaml": None,
            "hosts/web1.yaml": None,
        }
    )
    assert write(fleet.root, files(fleet)) == [*FILES[:5], *FILES[6:]]
    assert all(path.is_file() for path in mine)
    assert not (fleet.root / "rendered/hosts/web1/cron.d").exists()
    assert not (fleet.root / ".github").exists()


def test_a_file_that_somebody_wrote_is_not_overwritten(make_fleet: Make) -> None:
    fleet = make_fleet()
    file = fleet.root / FILES[0]
    file.parent.mkdir(parents=True)
    file.write_text("name: mine\n")
    with pytest.raises(UserError, match="was not written by gitops"):
        write(fleet.root, files(fleet))
    assert file.read_text() == "name: mine\n"
    assert not (fleet.root / "rendered").exists()
    assert (FILES[0], "was not written by gitops") in stale(fleet.root, files(fleet))


def test_nothing_is_written_through_a_link_that_leaves_the_fleet(make_fleet: Make, tmp_path: Path) -> None:
    fleet = make_fleet()
    (tmp_path / "elsewhere").mkdir()
    (fleet.root / "rendered").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="leaves the fleet"):
        write(fleet.root, files(fleet))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_lock_that_does_not_fit_stops_rendering_and_says_what_to_run(make_fleet: Make) -> None:
    root = make_fleet().root
    (root / "locks/web.amd64.lock").unlink()
    done = gitops("render", cwd=root)
    assert done.returncode == 1
    assert done.stderr == "locks/web.amd64.lock: is missing\n  run gitops lock web\n"
    assert not (root / "rendered").exists()
