"""A title says it all in one line."""

from dataclasses import replace

import pytest

from gitops.updates.title import title
from tests.updates.proposals import effect, entry, news

OPENSSL = news("openssl", entry(cves=4))


def test_one_source_is_named_with_its_versions_what_it_mends_and_its_reach() -> None:
    assert title(effect([OPENSSL], 100), [OPENSSL]) == (
        "openssl 3.5.6-1 → 3.5.7-1: 4 CVEs, high; 2 images, 100 instances"
    )


def test_of_several_sources_the_weightiest_come_first() -> None:
    told = [news(name, entry(urgency="medium")) for name in ("abc", "curl", "tzdata")]
    told += [OPENSSL, news("php8.4", entry(cves=5))]
    assert title(effect(told), told) == (
        "php8.4, openssl, abc and 2 more: 5 CVEs, high; 2 images, 2 instances"
    )
    assert title(effect(told[2:4]), told[2:4]).startswith("openssl and tzdata: 4 CVEs, high")


def test_what_is_nothing_special_is_not_said() -> None:
    told = [news("tzdata", entry(urgency="medium"))]
    assert title(effect(told, 1), told) == "tzdata 3.5.6-1 → 3.5.7-1: 2 images, 1 instance"


def test_a_withdrawn_version_is_called_that_and_its_cves_are_not_counted() -> None:
    back = replace(OPENSSL, old="3.5.7-1", new="3.5.6-1")
    assert title(effect([back]), [back]) == ("openssl 3.5.7-1 → 3.5.6-1 (withdrawn): 2 images, 2 instances")
    told = [back, news("curl", entry(cves=1))]
    assert title(effect(told), told).startswith("curl and openssl: 1 CVE, high, 1 withdrawn;")


def test_what_comes_in_or_goes_is_called_that() -> None:
    for old, new, said in ((None, "1-1", "1-1 comes in"), ("1-1", None, "1-1 goes")):
        told = [news("galera-4", old=old, new=new)]
        assert title(effect(told), told).startswith(f"galera-4 {said}: ")


def test_one_source_of_two_releases_is_named_once() -> None:
    told = [OPENSSL, news("openssl", entry(cves=4), old="3.0.17-1", new="3.0.18-1")]
    assert title(effect(told), told).startswith("openssl 3.0.17-1 → 3.0.18-1, 3.5.6-1 → 3.5.7-1: 4 CVEs")
    assert title(effect(told), told, 72).startswith("openssl in 2 versions: 4 CVEs")


def test_the_same_version_with_other_content_has_a_title_too() -> None:
    assert title(effect([]), []).startswith("Packages published again under the same version: 2 images")


@pytest.mark.parametrize("most", [72, 120])
@pytest.mark.parametrize("sources", [1, 2, 3, 300])
def test_it_never_gets_longer_than_it_may(most: int, sources: int) -> None:
    told = [
        news(f"a-source-with-a-rather-long-name-{n:03}", entry(cves=9), new="1" * 60) for n in range(sources)
    ]
    text = title(effect(told, 1000), told, most)
    assert len(text) <= most
    assert text.endswith("2 images, 1,000 instances")
