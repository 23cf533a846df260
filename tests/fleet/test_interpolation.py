"""Variables are filled in as Compose fills them in, or there is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.fleet.interpolation import InterpolationError, fill, names, parse

VALUES = {"A": "one", "E": "", "N": None}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$A", "one"),
        ("${A}s", "ones"),
        ("$A-$A", "one-one"),
        ("$$A $${A} $$$A", "$A ${A} $one"),
        ("${E:-x}${E-x}${N:-x}${N-x}${A:-x}${A-x}", "xxxoneone"),
        ("${E:+x}${E+y}${N:+x}${N+x}${A:+x}${A+x}", "yxx"),
        ("${A:?no}${E?no}", "one"),
        ("${N:-${E:-${A}}}", "one"),
        ("${N-a}b}", "ab}"),
        ("${N:-}", ""),
        ("${N:-a:-b$$}", "a:-b$"),
        ("}{ a", "}{ a"),
    ],
)
def test_every_form_gives_what_compose_gives(text: str, result: str) -> None:
    assert fill(parse(text), VALUES) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$", "no name"),
        ("$1", "no name"),
        ("${", "no name"),
        ("${}", "no name"),
        ("${A", "not closed"),
        ("${A:-", "not closed"),
        ("${A!x}", "'!' cannot follow"),
        ("${A:x}", "':' cannot follow"),
        ("a ${ A}", "no name"),
        ("${A:-${B}", "not closed"),
    ],
)
def test_a_text_that_is_no_interpolation_is_refused(text: str, message: str) -> None:
    with pytest.raises(InterpolationError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${E:?give it}", "give it"),
        ("${N?because of ${A}}", "because of one"),
        ("${N:?}", "parameter N is needed"),
        ("$N", "parameter N has no value"),
    ],
)
def test_a_value_that_is_needed_and_not_there_is_told(text: str, message: str) -> None:
    with pytest.raises(InterpolationError, match=message):
        fill(parse(text), VALUES)


def test_a_default_that_is_not_used_is_not_filled_in_but_its_variables_are_known() -> None:
    parts = parse("${A:-${N:?never}}")
    assert fill(parts, VALUES) == "one"
    assert list(names(parts)) == ["A", "N"]


@given(st.text())
def test_a_text_whose_dollars_are_doubled_comes_back(text: str) -> None:
    assert fill(parse(text.replace("$", "$$")), {}) == text


@given(st.text(st.sampled_from("AEN$${}:-?+ x")))
def test_any_text_is_filled_in_or_refused(text: str) -> None:
    try:
        assert isinstance(fill(parse(text), VALUES), str)
    except InterpolationError as error:
        assert str(error)  # noqa: PT017 - whether it is raised depends on the text


@given(st.text(), st.text())
def test_a_value_is_never_read_for_variables_again(value: str, around: str) -> None:
    plain = around.replace("$", "$$")
    assert fill(parse(f"{plain}${{A}}{plain}"), {"A": value}) == around + value + around
