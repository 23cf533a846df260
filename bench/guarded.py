"""Where hooks are measured: the fleet of `render`, in git, and a bare repository with the server's hooks."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from subprocess import run as call

from bench.figure import Run, run
from bench.render import write_fleet
from bench.stage import GITOPS

APP = "apps/app-7.yaml"
"""The file that is changed."""

_WHO = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Guarded:
    """A thousand images and a thousand apps, committed and pushed.

    Args:
        root: the fleet.
        bare: the repository that it is pushed to.
    """

    root: Path
    bare: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def git(self, *words: str | Path, stdin: str = "") -> str:
        """Run git in the fleet."""
        done = call(
            ["git", *_WHO, *words], cwd=self.root, input=stdin, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def check(self) -> Run:
        """Check the fleet, as its user does."""
        return run(GITOPS, "check", cwd=self.root)

    def change(self) -> str:
        """Give an app's file with a line that nobody has seen before; what follows from it is the same."""
        return f"# {next(self._numbers)}\n{(self.root / APP).read_text()}"

    def commit(self, commits: int) -> None:
        """Make so many commits, each of which changes an app; the rendered files of the last are right."""
        stream = ""
        for _ in range(commits):
            text = self.change()
            stream += (
                "commit refs/heads/main\ncommitter bench <bench@example.org> now\ndata 0\n"
                + ("" if stream else "from refs/heads/main^0\n")
                + f"M 644 inline {APP}\ndata {len(text.encode())}\n{text}\n"
            )
        self.git("fast-import", "--quiet", "--date-format=now", stdin=stream)

    def push(self) -> Run:
        """Push what there is."""
        return run("git", "push", "--quiet", self.bare, "main", cwd=self.root)


@contextmanager
def guarded() -> Iterator[Guarded]:
    """Make both; everything is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="gitops-bench-"))
    made = Guarded(directory / "fleet", directory / "fleet.git")
    try:
        write_fleet(made.root)
        run(GITOPS, "render", cwd=made.root)
        made.git("init", "--quiet", "--initial-branch=main")
        made.git("add", "--all")
        made.git("commit", "--quiet", "--message=State")
        made.git("gc", "--quiet")
        made.git("clone", "--quiet", "--bare", made.root, made.bare)
        run(GITOPS, "hooks", "install", cwd=made.root)
        run(GITOPS, "hooks", "install", "--server", "--repository", made.bare)
        yield made
    finally:
        shutil.rmtree(directory, ignore_errors=True)
