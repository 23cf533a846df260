"""YAML is read as YAML 1.2 says, whatever parser does it, and no file can take the memory or the stack."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.fleet.document import read

BOMB = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))


def contents(path: Path, text: str) -> object:
    path.write_text(text)
    document, problems = read(path, "f.yaml")
    assert not problems
    assert document
    return document.content


def refused(path: Path, text: str) -> str:
    path.write_text(text)
    document, problems = read(path, "f.yaml")
    assert document is None
    return str(problems[0])


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a: no", {"a": "no"}),
        ("%YAML 1.1\n---\na: no\n", {"a": "no"}),
        ("a: 2025-01-31", {"a": "2025-01-31"}),
        ("a: 0o10", {"a": 8}),
        ("a: [http://localhost/, 8080:80]", {"a": ["http://localhost/", "8080:80"]}),
        ("a: [http://localhost/, 2025-01-31]", {"a": ["http://localhost/", "2025-01-31"]}),
        ("\ufeffa: é", {"a": "é"}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
    ],
)
def test_yaml_means_what_yaml_1_2_says(text: str, content: object, tmp_path: Path) -> None:
    assert contents(tmp_path / "f", text) == content


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        BOMB.replace("[", "{<<: [").replace("]", "]}"),
        "a: &a [*a]",
        "a: &a {<<: *a}",
        "a: " + "[" * 500 + "]" * 500,
        "a: " + "[" * 100_000,
        "- " * 100_000,
        "a: " + "x" * (1 << 20),
        "a: [http://x/, {b: 1, b: 2}, " + "[" * 200 + "]" * 200 + "]",
    ],
    ids=[
        "aliases",
        "merges",
        "itself",
        "merges itself",
        "deep",
        "deeper",
        "dashes",
        "large",
        "slow and deep",
    ],
)
def test_a_file_that_would_take_the_memory_or_the_stack_is_refused(text: str, tmp_path: Path) -> None:
    assert refused(tmp_path / "f", text).startswith("f.yaml: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: 2", "f.yaml:2:2: is not YAML: expected ',' or ']', but got ':'"),
        ("a: !!python/object:os.x 1", "f.yaml:1:4: YAML tags (`!…`) mean nothing here"),
        ("a: 1\n---\nb: 1\n", "f.yaml:2:1: a second document begins here"),
        ("a: \x01", "f.yaml:1:4: a control character (U+0001)"),
        ("a: *b", "f.yaml:1:4: is not YAML: found undefined alias 'b'"),
    ],
)
def test_what_is_not_yaml_is_told_where_it_is(text: str, problem: str, tmp_path: Path) -> None:
    assert refused(tmp_path / "f", text).startswith(problem)


def test_every_key_that_stands_twice_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a: 1\na: 2\nb: {c: 1, d: 2, c: 3}\n")
    document, problems = read(tmp_path / "f", "f.yaml")
    assert [(problem.line, problem.column) for problem in problems] == [(2, 1), (3, 17)]
    assert document
    assert document.content == {"a": 1, "b": {"c": 1, "d": 2}}


def test_a_position_is_that_of_the_key_or_the_value(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a:\n  - é: [x, yy]\n    env: [B=1, C=2]\nm: &m {n: 1}\no: {<<: *m}\n")
    document, _ = read(tmp_path / "f", "f.yaml")
    assert document
    assert document.position(("a", 0, "é", 1)) == (2, 12)
    assert document.position(("a", 0, "é"), key=True) == (2, 5)
    assert document.position(("a", 0, "env", "C")) == (3, 16)
    assert document.position(("a", 0, "lost", "x")) == (2, 5)
    assert document.position(("o", "n")) == (4, 11)


@given(st.binary(max_size=200) | st.text(st.sampled_from("ab: \n\t-[]{}&*!|>'\"%@,?<#é\x00")).map(str.encode))
def test_any_bytes_give_a_document_or_a_problem_inside_them(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    document, problems = read(path, "f.yaml")
    assert document or problems
    text = data.decode("utf-8", errors="replace")
    widest = max(map(len, text.split("\n")))
    for problem in problems:
        assert problem.line <= len(text.splitlines() or [""]) + 1
        assert problem.column <= widest + 2
