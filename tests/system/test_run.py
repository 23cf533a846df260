"""The one way to run a program."""

import pytest

from gitops.system.run import CommandError, run, start


def test_arguments_never_meet_a_shell() -> None:
    hostile = "$(touch /tmp/pwned); `id` 'quote\" *"
    assert run(["printf", "%s", hostile]).stdout == hostile


def test_a_failure_names_the_command_its_status_and_its_last_words() -> None:
    with pytest.raises(CommandError, match="exit status 3") as caught:
        run(["sh", "-c", "echo why it failed >&2; exit 3"])
    assert "why it failed" in str(caught.value)
    assert caught.value.status == 3


def test_a_missing_program_is_the_users_to_install() -> None:
    with pytest.raises(CommandError, match="no-such-program does not exist or is not installed"):
        run(["no-such-program"])
    with pytest.raises(CommandError, match="not installed"):
        start(["no-such-program"])


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(CommandError, match=r"took longer than 0\.2 s"):
        run(["sleep", "30"], timeout=0.2)


def test_messages_are_in_english_whatever_the_users_language() -> None:
    assert run(["sh", "-c", "echo $LC_ALL"], env={"LANG": "de_DE.UTF-8"}).stdout == "C.UTF-8\n"


def test_bytes_that_are_not_utf8_do_no_harm() -> None:
    assert run(["printf", r"\377ok"]).stdout == "\ufffdok"


def test_standard_input_is_what_is_given_and_never_the_terminal() -> None:
    assert run(["cat"], stdin=b"given").stdout == "given"
    assert run(["cat"]).stdout == ""
