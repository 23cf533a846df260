"""The definitions that the runner reads when a job is due: a file an instance, a line a job (docs/jobs.md).

The runner would take longer to load the fleet than most jobs take. JSON has no comments, so that a first key
holds the mark of what was rendered.
"""

import json
from collections.abc import Iterable
from itertools import groupby

from gitops.jobs.definition import VERSION, Definition
from gitops.render.mark import JSON_MARK

_OF_BOTH = (
    "schedule",
    "timezone",
    "timeout",
    "grace",
    "overlap",
    "retries",
    "catch_up",
    "spread",
    "wait",
    "notify",
)
_IN_CONTAINER = ("service", "command", "user", "environment", "workdir", "mode")


def job_files(definitions: Iterable[Definition]) -> dict[str, str]:
    """Write definitions of one host, which stand in the order of their instances.

    Returns:
        Name of the file, `INSTANCE.json`, to its text.
    """
    return {
        f"{name}.json": _file(list(jobs)) for name, jobs in groupby(definitions, lambda one: one.instance)
    }


def _file(jobs: list[Definition]) -> str:
    first = jobs[0]
    whose = {"version": VERSION, "fleet": first.fleet, "host": first.host, "instance": first.instance}
    head = json.dumps(whose)[1:-1]
    lines = ",\n".join(f" {json.dumps(job.name)}: {json.dumps(_content(job))}" for job in jobs)
    return f'{JSON_MARK}\n{head}, "jobs": {{\n{lines}\n}}}}\n'


def _content(job: Definition) -> dict[str, object]:
    keys = (*(("argv",) if job.of_host else _IN_CONTAINER), *_OF_BOTH)
    return {key: _plain(getattr(job, key)) for key in keys}


def _plain(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
