"""`gitops check` and `gitops schema`, run as a user runs them."""

import json
import sys
from pathlib import Path

from gitops.system.run import Result, run

FLEET = """\
name: demo
archives:
  own: {mirror: "https://deb.example.org", suites: [stable], keyring: key.asc}
"""


def gitops(*words: str | Path, cwd: Path) -> Result:
    return run([sys.executable, "-m", "gitops", *words], cwd=cwd, check=False)


def fleet(directory: Path, image: str = "from: scratch\narchive: own\n") -> Path:
    (directory / "images").mkdir()
    (directory / "fleet.yaml").write_text(FLEET)
    (directory / "key.asc").write_text("a key")
    (directory / "images/base.yaml").write_text(image)
    return directory


def test_a_whole_fleet_is_counted_from_anywhere_inside_it(tmp_path: Path) -> None:
    result = gitops("check", cwd=fleet(tmp_path) / "images")
    assert (result.status, result.stdout) == (0, "1 image, 0 apps, 0 hosts: no problems\n")


def test_a_warning_is_told_on_standard_error_and_changes_no_status(tmp_path: Path) -> None:
    fleet(tmp_path)
    for name, text in {
        "apps/shop.yaml": "services: {web: {image: base, volumes: ['data:/data']}}\n",
        "hosts/web1.yaml": "instances: {alice: {app: shop}}\n",
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    result = gitops("check", cwd=tmp_path)
    assert (result.status, result.stdout) == (0, "1 image, 1 app, 1 host: no problems\n")
    assert result.stderr.startswith("apps/shop.yaml:1:41: warning: shop keeps data in the volume `data`")
    told = json.loads(gitops("check", "--json", cwd=tmp_path).stdout)
    assert told["problems"] == []
    assert [one["file"] for one in told["warnings"]] == ["apps/shop.yaml"]


def test_what_is_wrong_is_told_on_standard_error_with_status_1(tmp_path: Path) -> None:
    fleet(tmp_path, "from: scrach\narchive: ownn\n")
    result = gitops("check", "--fleet", tmp_path, cwd=Path("/"))
    assert (result.status, result.stdout) == (1, "")
    assert result.stderr == (
        "images/base.yaml:1:7: unknown image `scrach`\n  did you mean `scratch`?\n"
        "images/base.yaml:2:10: unknown archive `ownn`\n  did you mean `own`?\n"
    )


def test_programs_get_the_problems_as_json(tmp_path: Path) -> None:
    fleet(tmp_path, "from: scratch\n")
    result = gitops("check", "--json", cwd=tmp_path)
    (problem,) = json.loads(result.stdout)["problems"]
    assert result.status == 1
    assert (problem["file"], problem["line"], problem["column"]) == ("images/base.yaml", 1, 1)


def test_a_keyring_that_this_machine_lacks_is_told_though_the_fleet_loads(tmp_path: Path) -> None:
    (fleet(tmp_path) / "fleet.yaml").write_text(FLEET.replace("key.asc", "/nowhere/key.gpg"))
    result = gitops("check", cwd=tmp_path)
    assert result.status == 1
    assert result.stderr.startswith("fleet.yaml:3:71: this machine has no /nowhere/key.gpg\n")


def test_a_schema_is_printed_by_its_word(tmp_path: Path) -> None:
    assert json.loads(gitops("schema", "image", cwd=tmp_path).stdout)["title"] == "Image"
    assert list(json.loads(gitops("schema", cwd=tmp_path).stdout)) == ["fleet", "image", "app", "host"]
    assert "did you mean `image`?" in gitops("schema", "imgae", cwd=tmp_path).stderr
