"""Whether git alone can tell that no image is another one, which spares reading definitions."""

from gitops.git.repository import Repository

_INPUTS = ("fleet.yaml", "images", "locks", "templates", "pipelines")
"""What an identity is made of, below the fleet."""

_LINK = "120000"
"""How git writes the mode of a symlink."""


def surely_same_images(git: Repository, revision: str) -> bool:
    """Tell whether what images are made of is, byte by byte, as a commit has it; False: it may be otherwise.

    Files that git ignores count, since an image may copy them. Where a link could lead out of these
    directories, only reading tells.

    Raises:
        UserError: there is no such commit.
    """
    commit = git.commit(revision)
    if git.git("diff", "--quiet", commit, "--", *_INPUTS, check=False).status != 0:
        return False
    if git.git("ls-files", "--others", "--", *_INPUTS).stdout:
        return False
    staged = git.git("ls-files", "--stage", "--", *_INPUTS).stdout.splitlines()
    return not any(line.startswith(_LINK) for line in staged)
