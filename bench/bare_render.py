"""The floor under `gitops render`: parse the YAML with libyaml, write so many files with Jinja2.

`python bare_render.py FLEET OUTPUT FILES`: no model, no checks, no locks, no identity.
"""

import sys
from itertools import cycle, islice
from pathlib import Path

from jinja2 import Environment
from ruamel.yaml import YAML

_TEMPLATE = """\
# {{ name }}
FROM {{ definition["from"] or "scratch" }}
{% for key, value in definition.items() %}
LABEL {{ key }}="{{ value }}"
{% endfor %}
"""


def main(fleet: Path, output: Path, files: int) -> None:
    """Do the floor's work."""
    yaml = YAML(typ="safe", pure=False)
    parsed = [(path.stem, yaml.load(path)) for path in sorted(fleet.rglob("*.yaml"))]
    template = Environment(autoescape=False).from_string(_TEMPLATE)  # noqa: S701 - it writes no HTML
    output.mkdir(parents=True)
    for number, (name, definition) in enumerate(islice(cycle(parsed), files)):
        (output / f"{number}-{name}").write_text(template.render(name=name, definition=definition))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
