"""What a verb says while it works, a line at a time."""


def say(line: str) -> None:
    """Print a line, at once and in one piece, since several threads may have something to say."""
    print(f"{line}\n", end="", flush=True)
