"""A real browser that looks at pages: Debian's chromium, driven by playwright-core (tests/view/node)."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_MODULES = _HERE.parent.parent / ".make/browser/node_modules"


@dataclass(frozen=True)
class Look:
    """What is to be looked at, and how.

    Args:
        url: the page.
        width: of the window, in CSS pixels.
        dark: whether its user likes it dark.
        axe: let axe-core judge it.
        keys: how often Tab is pressed, before Enter.
        shot: where a picture goes.
        full: of the whole page, not of the window.
    """

    url: str
    width: int = 1280
    height: int = 900
    dark: bool = False
    axe: bool = False
    keys: int = 0
    shot: str = ""
    full: bool = False


def looks(wanted: Sequence[Look]) -> list[dict[str, Any]]:
    """Look at pages, one after the other, in one browser; tests/view/node/look.cjs says what it tells."""
    asked = {
        "chromium": "/usr/bin/chromium",
        "modules": str(_MODULES),
        "looks": [vars(one) for one in wanted],
    }
    told = subprocess.run(
        ["node", _HERE / "node/look.cjs"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr
    found: list[dict[str, Any]] = json.loads(told.stdout)
    return found
