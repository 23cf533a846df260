"""`python -m bench [FIGURE…]`: measure, print one table, exit 1 when a promise is not kept."""

import importlib
import os
import platform
import sys
from compileall import compile_dir
from pathlib import Path

import gitops
from bench.figure import Figure

FIGURES = (
    *("startup", "completion", "check", "render", "changed", "child", "large", "base", "apply"),
    *("cold", "warm", "warm200", "library"),
    *("tick", "tick_compose", "once_compose", "rest", "instances"),
    *("deploy", "deploy_compose", "roll", "plan10k", "manifests", "units"),
    *("backup_mariadb", "backup_postgresql", "backup_volume", "backup_hundred", "drill"),
    *("job_run", "job_hundred", "push"),
    *("precommit", "prereceive", "commits"),
    *("status", "pages", "pages_changed", "paint"),
)


def main() -> int:
    """Measure the figures named, or all of them."""
    # As pip does when it installs; where PYTHONDONTWRITEBYTECODE is set, every run would compile anew.
    compile_dir(Path(gitops.__file__).parent, quiet=1)
    figures = []
    for name in sys.argv[1:] or FIGURES:
        if name not in FIGURES:
            print(f"no figure {name}; there are {', '.join(FIGURES)}", file=sys.stderr)
            return 2
        print(f"measuring {name}", file=sys.stderr, flush=True)
        figures.append(importlib.import_module(f"bench.{name}").measure())
    print(table(figures))
    return 0 if all(figure.holds for figure in figures) else 1


def table(figures: list[Figure]) -> str:
    """Write the results as a Markdown table, the machine named below it."""
    rows = [
        "| work | ours | against | theirs | ratio | at most | ok |",
        "|---|---:|---|---:|---:|---:|---|",
        *map(_row, figures),
    ]
    return "\n".join([*rows, "", machine()])


def machine() -> str:
    """Name the machine: processor, cores, memory, system, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_field('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores, {memory:.1f} GiB; "
        f"{_field('/etc/os-release', 'PRETTY_NAME')}, Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}"
    )


def _row(figure: Figure) -> str:
    found = [f"{figure.ratio:.2f} x"]
    most = [f"{figure.at_most:g} x"] if figure.at_most is not None else []
    if limit := figure.limit:
        found.append(f"{limit.value:.0f} {limit.unit}")
        most.append(f"{limit.most:g} {limit.unit}")
    cells = (
        *(figure.work, _time(figure.ours), figure.against, _time(figure.theirs)),
        *(", ".join(found), ", ".join(most), "yes" if figure.holds else "**no**"),
    )
    return f"| {' | '.join(cells)} |"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _field(file: str, name: str) -> str:
    for line in Path(file).read_text().splitlines():
        key, mark, value = line.replace("=", ":", 1).partition(":")
        if mark and key.strip() == name:
            return value.strip().strip('"')
    return "unknown"


if __name__ == "__main__":
    sys.exit(main())
