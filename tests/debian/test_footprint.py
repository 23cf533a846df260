"""The real index is scanned in little memory; its speed is the business of the benchmarks."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from gitops.debian.sources import Source
from gitops.system.run import run

SCAN = """
import json, resource, sys
from pathlib import Path
from gitops.debian.suites import refresh
from gitops.debian.sources import Source

source = json.loads(sys.argv[1])
source |= {"components": tuple(source["components"]), "keyring": Path(source["keyring"])}
indexes = refresh([Source(**source)], "amd64", Path(sys.argv[2]))
names = indexes.names()
packages = [package for name in sorted(names)[::50] for package in indexes.candidates(name)]
# Its own page tables, not ru_maxrss, which a child begins with at the size of the parent that forked it.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([len(names), len(indexes.essential()), len(packages), int(peak.split()[1])]))
"""


def test_a_cold_refresh_and_scan_of_trixie_stays_under_150_megabytes(trixie: Source, tmp_path: Path) -> None:
    source = json.dumps({**asdict(trixie), "keyring": str(trixie.keyring)})
    answer = run([sys.executable, "-c", SCAN, source, tmp_path])
    names, essential, packages, kilobytes = json.loads(answer.stdout)
    assert names > 50_000
    assert 20 <= essential < 40
    assert packages > 1_000
    assert kilobytes < 150_000
