"""Play the story and sweep up; with `clean`, remove every trace of it.

Everything happens in one directory (GITOPS_DEMO, otherwise .demo in this checkout), with names made from that
directory and ports that were free, so that nothing else on the machine is met. The store of .debs
and the images stay, so that the next run is quick. KEEP=1 leaves the sites running.
"""

import os
import sys

from demo.site import Site
from demo.stage import DEMO, FLEET, DemoError, free_ports, sweep
from demo.story import Story


def main() -> int:
    """Give the exit status: 0 when everything that the story claims was proved."""
    if sys.argv[1:] == ["clean"]:
        sweep(everything=True)
        return 0
    sweep(everything=False)
    DEMO.mkdir(parents=True, exist_ok=True)
    first, second = free_ports()
    alice, bob = Site("alice", first), Site("bob", second)
    story = Story(alice, bob)
    keep = bool(os.environ.get("KEEP"))
    try:
        story.tell()
    except DemoError as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    finally:
        if not keep:
            sweep(everything=False)
    print(f"\n{story.table()}")
    if keep:
        print(f"\nThe fleet is in {FLEET}; the sites answer at {alice.address} and {bob.address}.")
        print("`make demo-clean` removes them.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
