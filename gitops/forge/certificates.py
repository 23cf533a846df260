"""Which certification authorities are believed: the system's, for every forge and library alike."""

import ssl


def authorities() -> str | bool:
    """Give the system's file or directory, or the one that `SSL_CERT_FILE` or `SSL_CERT_DIR` names.

    True, which for requests means its own list, where there is neither.
    """
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True
