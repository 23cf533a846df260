from pathlib import Path

from gitops.secrets.hiding import hidden, hide
from gitops.secrets.memory import in_memory
from gitops.system.errors import Problem


def test_what_a_container_says_of_its_secrets_is_not_repeated(tmp_path: Path) -> None:
    own = tmp_path / "alice/web.12345678"
    own.mkdir(parents=True)
    (own / "password").write_text("hunter2hunter2\n")
    (own / "key").write_text("-----BEGIN KEY-----\nabcdef\n-----END KEY-----\n")
    (own / "pin").write_text("12")
    problem = Problem(message="login hunter2hunter2 failed", hint="12 of abcdef")
    assert str(hidden(problem, tmp_path)) == "login *** failed\n  12 of ***"
    assert hide("nothing of it", tmp_path) == "nothing of it"
    assert hide("nothing at all", tmp_path / "missing") == "nothing at all"


def test_a_tmpfs_is_told_from_a_disk() -> None:
    assert in_memory(Path("/dev/shm/not/there/yet"))  # noqa: S108  # only asked about
    assert not in_memory(Path("/usr"))
