"""What is not as it was in a commit: images by content and test, apps by what they say and run."""

from gitops.git.repository import Repository
from gitops.review.moved import moved_apps, moved_images, rebuilt_images
from gitops.review.state import read_state, state_at
from tests.review.conftest import Change


def _moved(change: Change) -> tuple[set[str], set[str], set[str]]:
    after = read_state(change.fleet.root)
    with state_at(Repository(change.fleet.root), "HEAD") as before:
        images, apps = moved_images(before, after), moved_apps(before, after)
        return set(rebuilt_images(before, after)), set(images), set(apps)


def test_an_image_moves_with_its_packages_and_so_do_those_on_it_and_the_apps_that_run_them(
    change: Change,
) -> None:
    change.fleet.write("images/php.yaml", "from: tiny\n")
    change.fleet.write("images/other.yaml", "from: scratch\narchive: a\n")
    change.fleet.write("apps/php.yaml", "services: {web: {image: php}}\n")
    change.fleet.write("apps/other.yaml", "services: {web: {image: other}}\n")
    change.fleet.write(
        "apps/any.yaml", "parameters: {with: {default: other}}\nservices: {web: {image: '${with}'}}\n"
    )
    change.lock()
    change.fleet.commit()
    assert _moved(change) == (set(), set(), set())
    change.lock(tiny={"curl": "2"})
    assert _moved(change) == ({"tiny", "php"}, {"tiny", "php"}, {"blog", "php", "any"})


def test_a_test_of_its_own_moves_an_image_and_rebuilds_nothing(change: Change) -> None:
    change.replace("images/tiny.yaml", "archive: a\n", "archive: a\ntest: ['true']\n")
    assert _moved(change) == (set(), {"tiny"}, {"blog"})


def test_an_app_that_is_written_otherwise_moves_alone(change: Change) -> None:
    change.fleet.write("apps/new.yaml", "services: {web: {image: tiny}}\n")
    change.replace("apps/blog.yaml", "default: hello", "default: bye")
    assert _moved(change) == (set(), set(), {"blog", "new"})
