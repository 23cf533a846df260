"""What gitops needs around it, looked at: a module for each subject, and a list of them in checks.py."""

import sys

# As in gitops.debian: httpx would import its own command-line program, which takes longer than all else.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # its type leaves this use out
