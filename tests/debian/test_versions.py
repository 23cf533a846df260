"""Versions are ordered as dpkg orders them."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitops.debian.versions import compare
from gitops.system.run import run

_upstream = st.from_regex(r"[0-9][A-Za-z0-9.+~]{0,6}", fullmatch=True)
_versions = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "0:", "1:", "10:"]),
    _upstream,
    st.from_regex(r"(-[A-Za-z0-9.+~]{1,5})?", fullmatch=True),
)


def _by_dpkg(a: str, b: str) -> int:
    for operator, sign in (("lt", -1), ("eq", 0)):
        if run(["dpkg", "--compare-versions", a, operator, b], check=False).status == 0:
            return sign
    return 1


@settings(max_examples=150, deadline=None)
@given(_versions, _versions)
@example("1.0", "1.00")
@example("1.0~rc1", "1.0")
@example("1.0-1", "1.0-1+b1")
@example("0:1", "1")
@example("8.4.9-1", "8.4.10-1")
@example("1.0-0", "1.0")
def test_any_two_versions_compare_as_dpkg_says(a: str, b: str) -> None:
    assert compare(a, b) == _by_dpkg(a, b)
    assert compare(b, a) == -compare(a, b)


@pytest.mark.parametrize("text", ["", "one:2", "1 0"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        compare(text, "1")
