from pathlib import Path

import pytest

from gitops.secrets.age import decrypt, encrypt, make_identity
from gitops.system.errors import UserError


def test_each_host_that_it_is_encrypted_for_reads_it_and_no_other(tmp_path: Path) -> None:
    value = bytes(range(256)) * 3
    one, two, other = (make_identity(tmp_path / name) for name in ("one", "two", "other"))
    assert len({one, two, other}) == 3
    path = tmp_path / "secret.age"
    path.write_bytes(encrypt(value, [one, two]))
    assert decrypt(path, tmp_path / "one") == value
    assert decrypt(path, tmp_path / "two") == value
    with pytest.raises(UserError, match="no identity matched"):
        decrypt(path, tmp_path / "other")


def test_an_encrypted_value_is_text_that_a_diff_can_show(tmp_path: Path) -> None:
    text = encrypt(b"\0\xff", [make_identity(tmp_path / "key")]).decode("ascii")
    assert text.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n")


def test_a_hosts_key_is_made_once_and_only_root_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "age.key"
    assert make_identity(path) == make_identity(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_host_without_a_key_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gitops secret key"):
        decrypt(tmp_path / "password.age", tmp_path / "age.key")


def test_a_secret_for_nobody_is_refused() -> None:
    with pytest.raises(UserError, match="at least one host"):
        encrypt(b"value", [])


def test_a_recipient_that_is_none_is_told() -> None:
    with pytest.raises(UserError, match="age1nonsense"):
        encrypt(b"value", ["age1nonsense"])
