"""The tree is the architecture: docs/architecture.md says who may import whom, and the code keeps to it."""

import ast
import re
from pathlib import Path

import pytest

import gitops

PACKAGE = Path(gitops.__file__).parent
DOCUMENT = PACKAGE.parent / "docs" / "architecture.md"


def allowed() -> dict[str, set[str]]:
    """Read the table of rooms: the rooms that each may import."""
    rooms: dict[str, set[str]] = {}
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and (names := re.findall(r"`gitops/(\w+)/`", cells[0])):
            for name in names:
                rooms[name] = set(re.findall(r"\w+", cells[2])) | {"system", name}
    return rooms


def imports(file: Path) -> set[str]:
    """Give the modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_room_is_in_the_documents_table() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms == set(allowed())


@pytest.mark.parametrize(
    "file", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_room_imports_only_what_the_table_says_and_no_underscore_names(file: Path) -> None:
    room = file.relative_to(PACKAGE).parts[0]
    for name in imports(file):
        parts = name.split(".")
        if parts[0] != "gitops" or len(parts) == 1 or room.endswith(".py"):
            continue
        if parts[1] != "__version__" and room != "cli":
            assert parts[1] in allowed()[room], f"{room} imports {name}"
        if parts[1] != room:
            assert not any(part.startswith("_") and not part.startswith("__") for part in parts), name


def test_no_module_is_a_drawer_for_everything() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")} | {
        path.name for path in PACKAGE.rglob("*") if path.is_dir()
    }
    assert not names & {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
