"""The floor under an update of many images: apt asked once for each, on all cores, and nothing else done.

`APT_CONFIG=… python bare_resolve.py QUESTIONS STATUS`: one question a line, the names to install; STATUS is
dpkg's, and says what is installed.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL, run


def main(questions: Path, status: str) -> None:
    """Do the floor's work."""

    def ask(names: str) -> None:
        command = ("apt-get", "install", "--simulate", "--quiet", "--no-install-recommends")
        options = (f"-oDir::State::status={status}", f"-oDir::State::extended_states={status}.extended")
        run([*command, *options, "--", *names.split()], check=True, stdout=DEVNULL)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(ask, questions.read_text().splitlines()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
