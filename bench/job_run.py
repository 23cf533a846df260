"""`gitops job run` of `true` against `docker exec` of the command-line client; a host with one instance."""

from bench.figure import Figure, Limit, in_turns, run
from bench.hundred import host
from bench.stage import GITOPS

JOBS = "jobs: {tick: {service: web, schedule: '* * * * *', command: ['true']}}\n"


def measure() -> Figure:
    with host(1, JOBS) as made:
        made.gitops("apply")
        container = f"{made.fleet.name}.i000.web"
        ours, theirs = in_turns(
            20,
            lambda: run(GITOPS, "job", "run", "i000", "tick", "--due", env=made.env),
            lambda: run("docker", "exec", container, "true", env=made.env),
        )
    return Figure(
        "gitops job run of `true`",
        "docker exec of the command-line client",
        ours.seconds,
        theirs.seconds,
        2.0,
        Limit(ours.cpu * 1000, 250, "ms CPU"),
    )
