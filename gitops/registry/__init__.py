"""Container registries: what they have, and the signed statements that say which image is which."""

import sys

# As in gitops.debian: httpx would import its own command-line program, which takes longer than all else.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # its type leaves this use out
