"""An image's definition as a Dockerfile.

The build context that it expects, made by `gitops.images.build`:

    rootfs.tar      base only: the root file system
    install         templates/install.sh, executable
    debs/*.deb      what the lock adds to the parent
    debconf         answers, one a line
    files.tar       what `copy` brings from the fleet, with mode, owner by name, and path below /; COPY
                    would give its owner and mode to every directory on the way, /etc and /tmp too

Each step sees the parts that it needs at /mnt, below a file system in memory, so that no trace of them stays
behind and a changed file of the fleet does not install the packages again. The argument SOURCE_DATE_EPOCH
(seconds since 1970, UTC) is the time that everything newer gets, so that two builds give the same tree
(reproducible-builds.org, "SOURCE_DATE_EPOCH").
"""

import math
import shlex
from collections.abc import Mapping

from gitops.fleet.fleet import Fleet
from gitops.fleet.images import Healthcheck, Image
from gitops.render.mark import MARK
from gitops.render.quoting import exec_form, expanded_form, quoted
from gitops.render.templates import template
from gitops.system.errors import Problem, UserError


def dockerfile(fleet: Fleet, image: str, architecture: str, references: Mapping[tuple[str, str], str]) -> str:
    """Render one image's Dockerfile.

    Args:
        fleet: the fleet.
        image: the image's name.
        architecture: in Debian's words.
        references: (image, architecture) to the reference that names its content, at least for the parent.

    Raises:
        UserError: a value cannot stand in a Dockerfile.
    """
    definition = fleet.images[image]
    try:
        lines = _settings(definition)
        commands = _commands(definition)
    except UserError as error:
        file = f"images/{image}.yaml"
        raise UserError.of(
            [Problem(file=file, message=found.message, hint=found.hint) for found in error.problems]
        ) from error
    text = template(fleet.root, "Dockerfile.j2").render(
        source=f"images/{image}.yaml",
        parent="scratch" if definition.is_base else references[definition.parent, architecture],
        base=definition.is_base,
        installs=bool(not definition.is_base and (definition.packages or definition.debconf)),
        finish=commands,
        settings=lines,
    )
    # A comment on the first line ends what could be a parser directive, in a template of the fleet's own too.
    return f"{MARK}\n{text}"


def _commands(image: Image) -> str | None:
    """Give what puts files there and what runs after that.

    It is one step, so that what one command leaves another can remove for good. The words of each command are
    quoted for sh, the whole as JSON; what the step ends with makes times and logs right.
    """
    if not image.run and not image.copies:
        return None
    first = ["/mnt/install files"] if image.copies else []
    script = " && ".join([*first, *(shlex.join(command) for command in image.run), "/mnt/install settle"])
    return exec_form(["/bin/sh", "-c", script])


def _settings(image: Image) -> list[str]:
    """Give the instructions that say how the image runs, each one line and already quoted."""
    lines = [f"ENV {name}={quoted(text, name)}" for name, text in sorted(image.environment.items())]
    lines += [f"LABEL {name}={quoted(text, name)}" for name, text in sorted(image.labels.items())]
    lines += [f"EXPOSE {port}" for port in image.expose]
    if image.volumes:
        lines.append(f"VOLUME {expanded_form(image.volumes)}")
    if image.workdir:
        lines.append(f"WORKDIR {quoted(image.workdir, 'workdir')}")
    if image.user:
        # A name, whatever number the packages gave it, is looked up in the image's own passwd.
        lines += [] if image.user[0].isdigit() else ["# hadolint ignore=DL3066"]
        lines.append(f"USER {image.user}")
    if image.stop_signal:
        lines.append(f"STOPSIGNAL {image.stop_signal}")
    if image.healthcheck:
        lines.append(f"HEALTHCHECK {_healthcheck(image.healthcheck)}")
    if image.entrypoint:
        lines.append(f"ENTRYPOINT {exec_form(image.entrypoint)}")
    if image.command:
        lines.append(f"CMD {exec_form(image.command)}")
    return lines


def _healthcheck(check: Healthcheck) -> str:
    """Write a healthcheck; the shell form becomes `sh -c` in exec form, which is what it means."""
    kind, *words = check.test
    if check.disable or kind == "NONE":
        return "NONE"
    command = ["/bin/sh", "-c", words[0]] if kind == "CMD-SHELL" and words else words
    times = f"--interval={_time(check.interval)} --timeout={_time(check.timeout)}"
    if check.start_period:
        times += f" --start-period={_time(check.start_period)}"
    return f"{times} --retries={check.retries} CMD {exec_form(command)}"


def _time(seconds: float) -> str:
    """Write a duration as Docker reads it, in whole milliseconds, the least it takes."""
    return f"{math.ceil(seconds * 1000) / 1000:.3f}".rstrip("0").rstrip(".") + "s"
