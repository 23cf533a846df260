"""`gitops status` says which jobs do not go well, and whom nobody could tell."""

import json
import re
import sys
from datetime import timedelta
from pathlib import Path

from gitops.report.history import Run, record
from gitops.report.notices import outbox, put_off, tell
from gitops.system.clock import local, now
from gitops.system.run import Result, run
from tests.agent.conftest import APP, FleetOnDisk

_JOBS = "jobs:\n  tick: {service: web, schedule: '0 0 29 2 *', command: 'true'}\n"


def _gitops(*words: str, cwd: Path) -> Result:
    return run([sys.executable, "-m", "gitops", *words], cwd=cwd, check=False)


def test_status_shows_jobs_that_fail_and_notices_that_nobody_got(fleet: FleetOnDisk) -> None:
    fleet.write("apps/blog.yaml", APP + _JOBS)
    fleet.write("hosts/web1.yaml", "instances: {alice: {app: blog}}\n")
    run([sys.executable, "-m", "gitops", "render"], cwd=fleet.root)
    fleet.commit()
    fleet.apply()
    quiet = _gitops("status", "--exit-code", cwd=fleet.root)
    assert (quiet.status, "no problems" in quiet.stdout) == (0, True)
    began = now() - timedelta(hours=3)
    record(fleet.places, Run("job", "alice", "tick", began, began, 0))
    record(fleet.places, Run("job", "alice", "tick", began + timedelta(hours=1), now(), 124, "", "timeout"))
    tell(fleet.places, "job alice/tick failed", "", good=False)
    put_off(outbox(fleet.places)[0], ("ops",), "no route to host")
    shown = _gitops("status", "--exit-code", cwd=fleet.root)
    went, well = local(began + timedelta(hours=1)), local(began)
    assert shown.status == 1
    words = f"alice/tick took too long at {went}; it last went well at {well}"
    problems = [re.split("  +", line) for line in shown.stdout.splitlines()[3:5]]
    assert problems == [
        ["host web1", "-", "1 notice waits for ops: no route to host"],
        ["job alice/tick", "2 h", f"{words}; gitops job log alice tick"],
    ]
    assert re.search(r"(?m)^tick +alice +2 h .* 1 of 1 not well$", shown.stdout)
    told = json.loads(_gitops("status", "--json", cwd=fleet.root).stdout)
    assert [(one["instance"], one["last"] and one["last"]["outcome"]) for one in told["jobs"]] == [
        ("alice", "timeout")
    ]
