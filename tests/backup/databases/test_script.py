"""What a script is reduced to does not depend on how its bytes arrive."""

import hashlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gitops.backup.databases.script import ScriptDigest

_LINES = (
    b"-- comment 12:00",
    b"\\restrict x",
    b"SKIP THIS",
    b"CREATE TABLE t (n INT);",
    b" CREATE TABLE not at the beginning",
    b"(1, 'a'),",
    b"",
    b"\r",
    b"a long line " * 5,
)


def _digest(chunks: list[bytes]) -> str:
    digest = ScriptDigest("CREATE TABLE ", "tables", but="SKIP ")
    assert b"".join(digest.passing(chunks)) == b"".join(chunks)
    return str(digest)


@given(
    lines=st.lists(st.sampled_from(_LINES), max_size=12),
    last=st.sampled_from(_LINES),
    cuts=st.lists(st.integers(0, 400), max_size=8),
)
def test_a_digest_is_that_of_the_lines_that_count_however_they_are_cut(
    lines: list[bytes], last: bytes, cuts: list[int]
) -> None:
    script = b"".join(line + b"\n" for line in lines) + last
    places = sorted({0, len(script), *(cut for cut in cuts if cut < len(script))})
    chunks = [script[begin:end] for begin, end in pairwise(places)]
    kept = [line for line in script.split(b"\n") if not line.startswith((b"--", b"\\", b"SKIP "))]
    tables = sum(line.startswith(b"CREATE TABLE ") for line in kept)
    whole = b"".join(line + b"\n" for line in script.split(b"\n")[:-1] if line in kept)
    whole += last if last in kept else b""
    expected = f"{tables} tables, {len(whole)} bytes, sha256:{hashlib.sha256(whole).hexdigest()[:16]}"
    assert _digest(chunks) == expected
