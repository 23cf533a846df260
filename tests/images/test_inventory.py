"""An image whose dpkg database differs from its lock in anything is told from one that does not."""

import pytest

from gitops.images.inventory import check
from gitops.system.errors import UserError
from tests.images.test_lock import package

STATUS = """\
Package: tini
Status: install ok installed
Architecture: amd64
Version: 1.0-1
Description: words
 Status: not a field

Package: nginx
Status: install ok installed
Architecture: amd64
Version: 1.0-1
"""
LOCK = [package("nginx"), package("tini")]


def test_the_same_packages_pass() -> None:
    check(STATUS, LOCK)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (STATUS.partition("\n\n")[0], "nginx: not installed, by the lock 1.0-1"),
        (STATUS.replace("1.0-1", "1.0-2", 1), "tini: 1.0-2, by the lock 1.0-1"),
        (
            STATUS + "\nPackage: evil\nStatus: install ok installed\nArchitecture: all\nVersion: 6\n",
            "evil: 6, by",
        ),
        (
            STATUS.replace("install ok installed", "install ok half-configured", 1),
            "tini: 1.0-1 (install ok half-",
        ),
        (STATUS.replace("amd64", "i386", 1), "tini: 1.0-1, by the lock not there"),
        ("", "tini: not installed"),
    ],
)
def test_any_difference_is_told(status: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        check(status, LOCK)
    assert told in str(error.value)
