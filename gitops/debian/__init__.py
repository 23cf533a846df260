"""Debian archives: verified releases and indexes, what apt chooses from them, and the store of .debs."""

import sys

# httpx imports its own command-line program, and with that rich, pygments and click: more than half of its
# time. None is how Python is told not to (https://docs.python.org/3/reference/import.html#the-module-cache).
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # its type leaves this use out
