"""`gitops completion`: what makes a shell complete verbs, options and the fleet's names."""

from typing import Annotated

import typer

_SHELLS = ("bash", "zsh", "fish")


def completion(shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> None:
    """Print a script that lets a shell complete verbs, options, and the names of the fleet.

    For bash: gitops completion bash > ~/.local/share/bash-completion/completions/gitops. For zsh: into a file
    _gitops in a directory of $fpath. For fish: into ~/.config/fish/completions/gitops.fish.
    """
    from gitops.fleet.wording import did_you_mean
    from gitops.system.errors import UserError
    from gitops.system.shipped import shipped

    if shell not in _SHELLS:
        hint = did_you_mean(shell, _SHELLS) or f"there is one for {', '.join(_SHELLS)}"
        raise UserError(f"there is no completion for {shell}", hint=hint)
    print((shipped("templates") / "completion" / f"gitops.{shell}").read_text(), end="")
