"""The pipelines are what their systems read, with the least rights, and run nobody else's code."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gitops.fleet.fleet import Fleet
from gitops.render.pipelines import FILES, PIPELINES, pipelines
from tests.render.linting import SCHEMAS, WORKFLOWS, fits_schema, lint, parsed, scripts, shellcheck

Make = Callable[..., Fleet]
FLEET = """\
name: shop
archives: {{trixie: {{mirror: "https://deb.example.org/debian", suites: [trixie]}}}}
pipelines: [{}]
{}
"""
REGISTRY = "registry: registry.example.org/shop"
SCRIPT = "rendered/pipeline.sh"
HOSTILE = "${{ secrets.GITOPS_SIGNING_KEY }} $(touch /tmp/x) `id` ${IFS} '\"\n- : # &a *a !x %y @z | >\t\\"


def settings(*systems: str, more: str = REGISTRY) -> str:
    return FLEET.format(", ".join(systems or PIPELINES), more)


@pytest.fixture
def files(make_fleet: Make) -> dict[str, str]:
    return pipelines(make_fleet(**{"fleet.yaml": settings()}))


def on_disk(files: Mapping[str, str], directory: Path) -> dict[str, Path]:
    """Write them below a directory."""
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    return {path: directory / path for path in files}


def test_every_systems_schema_takes_its_file(files: dict[str, str], tmp_path: Path) -> None:
    assert set(files) == {*SCHEMAS, SCRIPT} == {*FILES, SCRIPT}
    found = on_disk(files, tmp_path / "out")
    assert {path: fits_schema(found[path], path) for path in SCHEMAS} == dict.fromkeys(SCHEMAS, "")


def test_actionlint_has_nothing_against_the_workflows(files: dict[str, str], tmp_path: Path) -> None:
    found = on_disk(files, tmp_path / "out")
    assert lint(*(found[path] for path in WORKFLOWS)) == ""
    found[WORKFLOWS[0]].write_text(files[WORKFLOWS[0]].replace("github.event_name", "github.evnt_name"))
    assert "evnt_name" in lint(found[WORKFLOWS[0]]), "it looks"


def test_shellcheck_has_nothing_against_any_script(make_fleet: Make) -> None:
    for more in (REGISTRY, ""):
        files = pipelines(make_fleet(**{"fleet.yaml": settings(more=more)}))
        found = {script for path in SCHEMAS for script in scripts(path, files[path])} | {files[SCRIPT]}
        assert {script: shellcheck(script) for script in found} == dict.fromkeys(found, "")


def test_scripts_are_given_what_others_write_as_variables_only(files: dict[str, str]) -> None:
    for path in SCHEMAS:
        assert not [script for script in scripts(path, files[path]) if "${{" in script]


@pytest.mark.parametrize("path", WORKFLOWS)
def test_every_job_of_a_workflow_has_a_limit_and_names_its_rights(path: str, files: dict[str, str]) -> None:
    workflow = parsed(files[path])
    assert workflow["permissions"] == {}
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    writes = {"contents": "write", "pull-requests": "write", "checks": "read", "statuses": "read"}
    assert rights.pop("update") == writes
    assert set(map(str, rights.values())) == {"{'contents': 'read'}"}
    assert all(0 < job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS)
def test_of_workflows_a_newer_commit_ends_a_pull_requests_alone_and_pushes_wait_for_each_other(
    path: str, files: dict[str, str]
) -> None:
    workflow = parsed(files[path])
    assert workflow["concurrency"] == {
        "group": "gitops-${{ github.event_name }}-${{ github.ref }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }
    alone = {name: job["concurrency"] for name, job in workflow["jobs"].items() if "concurrency" in job}
    assert alone == {name: {"group": f"gitops-{name}"} for name in ("push", "update")}


@pytest.mark.parametrize("path", WORKFLOWS)
def test_the_one_action_is_the_forges_own_cache_pinned_and_never_needed(
    path: str, files: dict[str, str]
) -> None:
    jobs = parsed(files[path])["jobs"].values()
    used = [step for job in jobs for step in job["steps"] if "uses" in step]
    assert used
    for step in used:
        assert re.fullmatch(r"actions/cache(/restore)?@[0-9a-f]{40}", step["uses"])
        assert step["continue-on-error"] is True


@pytest.mark.parametrize("path", WORKFLOWS)
def test_in_a_workflow_no_secret_is_there_for_a_pull_request(path: str, files: dict[str, str]) -> None:
    workflow = parsed(files[path])
    assert "pull_request_target" not in files[path]
    assert "secrets" not in str({key: value for key, value in workflow.items() if key != "jobs"})
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            given = [value for value in step.get("env", {}).values() if "secrets." in value]
            if "pull_request" in job["if"]:
                assert all(each.startswith("${{ github.event_name == 'push' && ") for each in given)
                assert all(each.endswith(" || '' }}") for each in given)
            rest = str({key: value for key, value in step.items() if key != "env"})
            assert "secrets." not in rest


def test_woodpeckers_file_for_pull_requests_names_no_secret_and_the_others_run_for_none(
    files: dict[str, str],
) -> None:
    assert "from_secret" not in files[".woodpecker/gitops-pull-request.yml"]
    for name in ("main", "update"):
        when = parsed(files[f".woodpecker/gitops-{name}.yml"])["when"]
        assert {each["event"] for each in when} <= {"push", "cron", "manual"}
    assert parsed(files[".woodpecker/gitops-main.yml"])["when"] == [{"event": "push", "branch": "main"}]


def test_in_gitlab_push_and_update_never_run_for_a_merge_request_and_one_at_a_time(
    files: dict[str, str],
) -> None:
    jobs = parsed(files[".gitlab-ci.yml"])
    timed = {name: job["timeout"] for name, job in jobs.items() if "script" in job}
    assert timed["push"] == "60 minutes"
    assert all(re.fullmatch(r"[1-9]\d* minutes", limit) for limit in timed.values())
    for name in ("push", "update"):
        assert not any("merge_request" in rule["if"] for rule in jobs[name]["rules"])
        assert jobs[name]["resource_group"] == f"gitops-{name}"
        assert jobs[name]["interruptible"] is False


def test_nothing_a_definition_says_is_in_a_pipeline(make_fleet: Make) -> None:
    calm = pipelines(make_fleet(**{"fleet.yaml": settings()}))
    quoted = '"' + HOSTILE.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    hostile = make_fleet(
        **{
            "fleet.yaml": settings(),
            "images/web.yaml": f"from: base\npackages: [nginx]\nenvironment: {{A: {quoted}}}\n"
            f"labels: {{b: {quoted}}}\ncommand: [{quoted}]\n",
        }
    )
    assert hostile.images["web"].environment["A"] == HOSTILE
    assert pipelines(hostile) == calm


@pytest.mark.parametrize("name", ["a b", "$(id)", "main]\n- x", "${{ x }}", "'", "*", "a#b"])
def test_a_branchs_name_that_could_be_more_than_a_name_is_refused(make_fleet: Make, name: str) -> None:
    with pytest.raises(Exception, match="branch"):
        make_fleet(**{"fleet.yaml": settings(more=f"updates: {{base: {name!r}}}")})


def test_three_hundred_images_need_no_line_more_than_two(make_fleet: Make) -> None:
    small = pipelines(make_fleet(**{"fleet.yaml": settings()}))
    many = {f"images/leaf-{n}.yaml": "from: base\n" for n in range(298)}
    large = pipelines(make_fleet(**{"fleet.yaml": settings(), **many}))
    assert large == small
    assert max(len(text.splitlines()) for text in large.values()) < 400


def test_an_image_that_stands_higher_adds_the_lines_of_one_job(make_fleet: Make) -> None:
    small = pipelines(make_fleet(**{"fleet.yaml": settings()}))
    large = pipelines(make_fleet(**{"fleet.yaml": settings(), "images/shop.yaml": "from: web\n"}))
    for path in SCHEMAS:
        before = small[path].splitlines()
        gone = [line for line in before if line not in large[path].splitlines()]
        assert {line.strip() for line in gone} <= {"needs: [build-2]"}


def test_no_pipeline_is_written_that_nobody_asked_for(make_fleet: Make) -> None:
    assert pipelines(make_fleet(**{"fleet.yaml": settings().replace("pipelines", "# ")})) == {}
    assert set(pipelines(make_fleet(**{"fleet.yaml": settings("gitlab")}))) == {".gitlab-ci.yml", SCRIPT}


def test_where_a_comment_is_left_it_is_by_the_runs_own_token_and_for_no_fork(make_fleet: Make) -> None:
    forge = f"{REGISTRY}\nupdates: {{forge: {{kind: forgejo}}}}"
    files = pipelines(make_fleet(**{"fleet.yaml": settings(more=forge)}))
    given = {
        path: [step.get("env", {}) for step in parsed(files[path])["jobs"]["plan"]["steps"]][-1]
        for path in WORKFLOWS
    }
    told = given.pop(".forgejo/workflows/gitops.yml")["GITOPS_NOTE_TOKEN"]
    assert told == (
        "${{ github.event.pull_request.head.repo.full_name == github.repository && github.token || '' }}"
    )
    assert not any("GITOPS_NOTE_TOKEN" in env for env in given.values()), "there, a page shows it"


def test_no_word_of_a_template_is_left_unfilled(files: dict[str, str]) -> None:
    for text in files.values():
        assert not re.search(r"\{%|\{#|[^$]\{\{", text)
