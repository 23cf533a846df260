"""The entry of the program; `python -m gitops` is `gitops`."""

import signal


def main() -> None:
    """Run the program; while it is still being loaded, Ctrl-C ends it at once and with no traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gitops.cli.main import main as run  # noqa: PLC0415  # after the line above

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
