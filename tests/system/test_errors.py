"""The one exception for what the user can mend."""

from gitops.system.errors import Problem, UserError


def test_a_problem_reads_as_compilers_write_them() -> None:
    problem = Problem("apps/blog.yaml", 3, 5, "no service `wbe`", "did you mean `web`?")
    assert str(problem) == "apps/blog.yaml:3:5: no service `wbe`\n  did you mean `web`?"
    assert str(Problem(message="no engine answers")) == "no engine answers"
    assert str(Problem("fleet.yaml", message="is missing")) == "fleet.yaml: is missing"


def test_an_error_of_many_problems_shows_all_of_them() -> None:
    error = UserError.of([Problem("a", 1, 1, "one"), Problem("b", 2, 0, "two")])
    assert str(error) == "a:1:1: one\nb:2: two"
    assert len(error.problems) == 2
