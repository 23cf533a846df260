"""What this program is, for answers that are kept only as long as it is the same."""

import hashlib
import os
from pathlib import Path

import gitops
from gitops.system.shipped import shipped


def program() -> str:
    """Tell this program from any other state of it: a checkout changes without its version changing.

    Returns:
        The version, and a hash of the names and times of its files and templates.
    """
    directories = [Path(gitops.__file__).parent, shipped("templates")]
    files = [Path(top, name) for start in directories for top, _, names in os.walk(start) for name in names]
    stats = sorted((str(file), file.stat().st_mtime_ns) for file in files if file.suffix != ".pyc")
    return f"{gitops.__version__} {hashlib.sha256(repr(stats).encode()).hexdigest()}"
