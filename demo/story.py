"""The story, step by step; each step says what it proved."""

import re
import sys
import time
from collections.abc import Callable

from demo.site import Site
from demo.stage import DEMO, FLEET, NAME, ROOT, command, containers, prove, wait_for

BRANCH = "gitops/updates"
UPLOADS = "/var/lib/wordpress/wp-content/uploads"


class Story:
    """Two sites from the first file to the first security update."""

    def __init__(self, alice: Site, bob: Site) -> None:
        """Get ready to tell it."""
        self.alice, self.bob = alice, bob
        self.settings = FLEET / "fleet.yaml"
        self.with_updates = ""
        self.rows: list[tuple[str, float, str]] = []

    def tell(self) -> None:
        """Play every step, in order."""
        self._step("init: a fleet in git", self._init)
        self._step("lock, render, build", self._build)
        self._step("plan, apply: two sites", self._apply)
        self._step("the job, as cron runs it", self._job)
        self._step("backup, drill, disaster, restore", self._backup)
        self._step("Debian's updates arrive", self._update)
        self._step("apply again", self._rest)

    def table(self) -> str:
        """Give the closing table: each step, its time, what was proved."""
        width = max(len(title) for title, _, _ in self.rows)
        lines = [f"{title.ljust(width)}  {seconds:7.1f}  {proved}" for title, seconds, proved in self.rows]
        total = sum(seconds for _, seconds, _ in self.rows)
        return "\n".join(
            [f"{'step'.ljust(width)}  seconds  proved", *lines, f"{'all'.ljust(width)}  {total:7.1f}"]
        )

    def _step(self, title: str, play: Callable[[], str]) -> None:
        heading = f"{len(self.rows) + 1}. {title}"
        print(f"\n\033[1m{heading}\033[0m" if sys.stdout.isatty() else f"\n{heading}", flush=True)
        begun = time.monotonic()
        proved = play()
        self.rows.append((title, time.monotonic() - begun, proved))

    def _init(self) -> str:
        command(
            *("gitops", "init", str(FLEET), "--name", NAME, "--host", "web1"),
            *("--web-port", str(self.alice.port), "--backup-repository", str(ROOT / "srv/restic")),
        )
        self.with_updates = self.settings.read_text()
        released = re.sub(
            r"(?ms)suites:\n.*?components:", "suites: [trixie]\n    components:", self.with_updates
        )
        prove(released != self.with_updates, "the starter fleet does not list its suites as the demo expects")
        self.settings.write_text(released)
        command("gitops", "check")
        _commit("Start the fleet with Debian 13 as released, without its updates")
        return "a fleet of definitions in git: two instances of one app on one host"

    def _build(self) -> str:
        command("gitops", "lock")
        command("gitops", "render")
        _commit("Lock and render")
        command("gitops", "build")
        return "three images from signed Debian packages alone, no network in the build"

    def _apply(self) -> str:
        command("gitops", "plan")
        command("gitops", "apply")
        for site in (self.alice, self.bob):
            site.install()
            site.publish()
            prove(site.has_all(), f"the post or the upload of {site.name} cannot be read back")
            print(f"  {site.name} answers at {site.address} and has its first post", flush=True)
        command("gitops", "status")
        return "both sites answer, installed by WordPress's own installer, a post and an upload each"

    def _job(self) -> str:
        (manifest,) = (ROOT / "etc/cron.d").iterdir()
        text = manifest.read_text()
        print(
            f"  {manifest.relative_to(DEMO)}\n" + "".join(f"    {line}\n" for line in text.splitlines()),
            end="",
        )
        environment = {key: value.strip('"') for key, value in re.findall(r"(?m)^([A-Z_]+)=(.*)$", text)}
        line = next(line for line in text.splitlines() if "job run alice" in line)
        command("/bin/sh", "-c", line.split(maxsplit=6)[6], environment=environment)
        command("gitops", "job", "log", "alice", "wp-cron")
        return "the very line of the host's cron manifest, run as cron does, worked inside the container"

    def _backup(self) -> str:
        command("gitops", "backup", "run", "alice")
        command("gitops", "backup", "list")
        command("gitops", "backup", "drill", "alice")
        command("docker", "exec", f"{NAME}.alice.db", "mariadb", "-e", "DROP DATABASE wordpress")
        command("docker", "exec", f"{NAME}.alice.web", "sh", "-c", f"rm -r {UPLOADS}/*")
        prove(not self.alice.has_all(), "the site of alice survived the loss of its database")
        command("gitops", "backup", "restore", "alice")
        wait_for("the post and the upload of alice are back", self.alice.has_all)
        return "the backup proved in a throw-away copy; database and uploads destroyed, and back"

    def _update(self) -> str:
        self.settings.write_text(self.with_updates)
        _commit("Take security fixes and updates from Debian")
        before = containers()
        found = command("gitops", "update", "--commit")
        if BRANCH not in command("git", "branch", "--list", BRANCH):
            prove("up to date" in found, "no branch, and no word of why")
            return "nothing newer in Debian today, and it says so"
        command("git", "merge", "--ff-only", "--quiet", BRANCH)
        command("gitops", "render", "--check")
        command("gitops", "build")
        command("gitops", "plan")
        command("gitops", "apply")
        now = containers()
        changed = {name for name, identifier in before.items() if now.get(name) != identifier}
        locks = command("git", "diff", "--name-only", "HEAD~1", "--", "locks")
        expected = set(now) if "locks/trixie." in locks else _containing(locks, now)
        prove(changed == expected, f"restarted: {_short(changed)}; contain an update: {_short(expected)}")
        for site in (self.alice, self.bob):
            wait_for(f"the post of {site.name} is still there", site.has_all)
        return f"restarted, because updated: {_short(changed)}; untouched: {_short(set(now) - changed)}"

    def _rest(self) -> str:
        before = containers()
        prove("nothing to do" in command("gitops", "apply"), "a second apply found something to do")
        prove(containers() == before, "a second apply touched a container")
        return "nothing to do, and no container touched"


def _containing(locks: str, names: dict[str, str]) -> set[str]:
    images = {"web": "locks/wordpress.", "db": "locks/mariadb."}
    return {name for name in names if images[name.rpartition(".")[2]] in locks}


def _commit(message: str) -> None:
    command("git", "add", "--all")
    command("git", "commit", "--quiet", "--message", message)


def _short(names: set[str]) -> str:
    return ", ".join(sorted(name.removeprefix(f"{NAME}.").replace(".", "/") for name in names)) or "none"
