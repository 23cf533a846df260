"""Questions that a restored instance is asked, put to a real one; wrong answers and none are told apart."""

import pytest

from gitops.backup import verify as module
from gitops.backup.databases import Login
from gitops.backup.verify import login, one_line, verify
from gitops.fleet.backups import Database, Verification
from gitops.fleet.services import Service
from gitops.system.errors import UserError
from tests.database_fixtures import DATABASE, Site

_SERVICE = Service.model_validate({"image": "server"})


def _ask(site: Site, **question: str) -> None:
    backup = site.instance.definition.backup
    assert backup
    asked = Verification.model_validate({"service": "db", **question})
    verify(site.engine, site.container("db"), asked, backup, _SERVICE)


def test_right_answers_pass_whatever_white_space_is_around_them(site: Site) -> None:
    site.sql("CREATE TABLE t (n INT); INSERT INTO t VALUES (7), (8);")
    _ask(site, query="SELECT SUM(n) FROM t", expect="15")
    _ask(site, query="SELECT n FROM t ORDER BY n", expect="7\n8", database=DATABASE)
    _ask(site, command="echo '  so it is '", expect="so it is\n")
    _ask(site, command="true")


def test_a_wrong_answer_is_told_with_the_right_one(site: Site) -> None:
    with pytest.raises(
        UserError, match=r"“SELECT 6 \* 9” is to be answered with “42” by db, which says “54”"
    ):
        _ask(site, query="SELECT 6 * 9", expect="42")
    with pytest.raises(UserError, match="is to be answered with “yes” by db, which says “no”"):
        _ask(site, command="echo no", expect="yes")


def test_a_question_that_cannot_be_asked_is_not_answered_well(site: Site) -> None:
    with pytest.raises(UserError, match="doesn't exist"):
        _ask(site, query="SELECT * FROM gone", expect="")
    with pytest.raises(UserError, match="ends with exit status 3: out of order"):
        _ask(site, command="echo out of order >&2; exit 3")


def test_an_answer_that_does_not_end_is_not_waited_for_nor_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    with pytest.raises(UserError, match="exec yes” gives no answer within 1 s"):
        _ask(site, command="exec yes")
    for process in site.processes("db", "yes"):
        site.execute("db", "kill", process)


def test_one_line_is_one_line_that_no_terminal_obeys() -> None:
    assert one_line("a\n  b\x1b[2J\r\x00c\u202ed") == "a b [2J c d"
    assert one_line("x" * 1000) == "x" * 400 + "…"


def test_a_password_is_read_where_its_service_sees_it() -> None:
    service = Service.model_validate(
        {"image": "server", "secrets": ["one", {"source": "two", "target": "other"}]}
    )
    found = [
        login(Database(service="db", kind="mariadb", all=True, user="me", password=secret), service)
        for secret in ("one", "two", None)
    ]
    assert found == [
        Login("me", "/run/secrets/one"),
        Login("me", "/run/secrets/other"),
        Login("me", None),
    ]
