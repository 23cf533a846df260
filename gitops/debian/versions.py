"""Which of two Debian versions is newer (Debian Policy 5.6.12)."""

from debian.debian_support import NativeVersion


def compare(a: str, b: str) -> int:
    """Compare two versions as dpkg does.

    Returns:
        -1 when `a` is older than `b`, 0 when they are equal (1.0 and 1.00 are), 1 when it is newer.

    Raises:
        ValueError: one of them is not a version.
    """
    left, right = NativeVersion(a), NativeVersion(b)
    return (left > right) - (left < right)
