"""Whether packages fit together is what apt says, and what it complains about is told by name."""

import pytest

from gitops.debian import installable
from gitops.debian.installable import unmet
from gitops.system.run import Result


def stanza(name: str, version: str = "1.0", **fields: str) -> str:
    known = {"Package": name, "Version": version, "Architecture": "amd64", "Maintainer": "x", **fields}
    return "\n".join(f"{key.replace('_', '-')}: {value}" for key, value in known.items())


def sets(*stanzas: str) -> list[list[str]]:
    return sorted(sorted(names) for names in unmet(stanzas, "amd64"))


def test_packages_that_fit_have_no_complaint() -> None:
    assert sets(stanza("web", Depends="lib (>= 1.0)"), stanza("lib"), stanza("other", Conflicts="gone")) == []
    assert sets() == []


@pytest.mark.parametrize("kind", ["Depends", "Pre_Depends"])
def test_a_dependency_that_is_too_old_names_both(kind: str) -> None:
    needs = stanza("web", **{kind: "lib (>= 2.0)"})
    assert sets(needs, stanza("lib"), stanza("other")) == [["lib", "web"]]


@pytest.mark.parametrize("kind", ["Breaks", "Conflicts"])
def test_packages_that_refuse_each_other_are_both_named(kind: str) -> None:
    assert sets(stanza("web", **{kind: "lib (<< 2.0)"}), stanza("lib")) == [["lib", "web"]]


def test_every_alternative_is_named() -> None:
    assert sets(stanza("web", Depends="one | two (>= 3), lib"), stanza("two"), stanza("lib")) == [
        ["one", "two", "web"]
    ]


def test_who_provides_what_is_refused_is_named() -> None:
    assert sets(stanza("exim", Conflicts="mta"), stanza("postfix", Provides="mta (= 1), other")) == [
        ["exim", "mta", "postfix"]
    ]


def test_each_complaint_is_told_on_its_own_and_recommendations_are_none() -> None:
    packages = [
        stanza("a", Depends="liba (>= 2)", Recommends="fine"),
        stanza("liba"),
        stanza("b", Depends="gone"),
        stanza("c", Recommends="gone, liba (>= 3)"),
    ]
    assert sets(*packages) == [["a", "liba"], ["b", "gone"]]


def test_another_architectures_packages_are_judged_here() -> None:
    foreign = stanza("web", Depends="lib").replace("amd64", "arm64")
    assert unmet([foreign, stanza("lib").replace("amd64", "arm64")], "arm64") == ()
    assert unmet([foreign], "arm64") == (frozenset({"web", "lib"}),)


def test_a_complaint_that_is_not_understood_is_about_all(monkeypatch: pytest.MonkeyPatch) -> None:
    # apt's words are its own and may change: no apt of today says this.
    answer = Result(100, "web wants lib\n", "E: some new words")
    monkeypatch.setattr(installable, "run", lambda *_, **__: answer)
    assert sets(stanza("web", Depends="lib"), stanza("other")) == [["other", "web"]]
