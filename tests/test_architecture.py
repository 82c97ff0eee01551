"""The walls of the house: which room may import which, where torch may be, and what stays small and plain."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "dcode"
if not PACKAGE.is_dir():  # the suite runs against an installed wheel
    import dcode

    PACKAGE = Path(dcode.__file__).parent

SHARED = {"errors", "resources"}
MAY_IMPORT = {
    "errors": set(),
    "resources": {"errors"},
    "settings": SHARED | {"model"},  # the names in checkpoints.toml; no torch
    "text": SHARED,
    "syntax": SHARED | {"text"},
    "diffusion": SHARED | {"text"},
    "repo": SHARED | {"text"},
    "lessons": SHARED | {"text"},
    "model": SHARED,
    "trust": SHARED | {"text", "syntax"},
    "jobs": SHARED | {"text", "syntax", "diffusion", "model", "repo", "trust"},
    "train": SHARED | {"text", "syntax", "diffusion", "model", "lessons"},
    "evaluate": SHARED | {"jobs", "syntax", "diffusion", "model", "lessons", "text"},
    "bench": SHARED | {"evaluate", "jobs", "syntax", "diffusion", "model", "text"},
    "cli": None,
    "__init__": SHARED,
    "__main__": SHARED | {"cli"},
}
TORCH_FREE = {"errors", "resources", "settings", "text", "syntax", "repo", "lessons", "trust"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    allowed = MAY_IMPORT[room(path)]
    used = {name.split(".")[1] for name in imports(ast.parse(path.read_text("utf-8"))) if name.startswith("dcode.")}
    if allowed is not None:
        assert used - allowed - {room(path)} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_torch_and_click_stay_where_they_belong(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(ast.parse(path.read_text("utf-8")))}
    assert "click" not in roots
    if room(path) in TORCH_FREE:
        assert not roots & {"torch", "transformers", "safetensors", "tokenizers"}
    if room(path) == "diffusion":
        assert not roots & {"tree_sitter", "transformers", "tokenizers", "pathlib", "os"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_file_says_what_it_is_and_imports_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    if path.name == "__init__.py" and path.parent != PACKAGE:
        assert not tree.body, "the __init__ of a room is empty"
        return
    assert ast.get_docstring(tree)
    if room(path) in {"cli", "__init__", "__main__"}:
        return
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.If):
            assert not [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]


def test_there_are_no_circles() -> None:
    graph = {}
    for path in FILES:
        name = ".".join(["dcode", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        graph[name] = imports(ast.parse(path.read_text("utf-8")))
    edges = {
        name: {m for used in seen for m in (used, used.rpartition(".")[0]) if m in graph and m not in ("dcode", name)}
        for name, seen in graph.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail, name])
        if name not in done:
            for other in sorted(edges[name]):
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("statement", ["import dcode", "import dcode.cli.app", "from dcode import DcodeError"])
def test_importing_dcode_does_not_import_torch(statement: str) -> None:
    code = f"import sys; {statement}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
