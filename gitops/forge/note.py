"""A comment that is kept up to date, in place of one more for every push."""

from gitops.forge.pull_request import Forge
from gitops.system.errors import UserError


def note(forge: Forge, number: int, about: str, text: str) -> bool:
    """Leave a comment on a pull request, in the place of the last one about the same.

    Args:
        forge: the project's.
        number: the pull request's.
        about: what it is about, by which it is found again: some words, which no page shows.
        text: in Markdown.

    Returns:
        Whether anything had to be written.

    Raises:
        UserError: the forge refuses.
    """
    mark = f"<!-- gitops: {about} -->"
    whole = f"{mark}\n{text.rstrip()}"
    before = [each for each in forge.comments(number) if each.text.startswith(mark)]
    if before and before[-1].text.rstrip() == whole:
        return False
    if before:
        try:
            forge.rewrite(number, before[-1].identity, whole)
        except UserError:
            pass  # somebody else wrote it, with our mark; what is in the way otherwise, is once more
        else:
            return True
    forge.comment(number, whole)
    return True
