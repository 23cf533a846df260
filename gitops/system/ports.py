"""Ports of this machine."""

import socket


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a TCP port of loopback, or of all addresses."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True
