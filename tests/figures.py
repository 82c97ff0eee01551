"""How large the house is and how much of it one run needs: `python -m tests.figures` prints a table.

The run is one clean `infill` of the command line with a tiny float network, from the arguments to the exit code. A file
or function counts as run when a function of it was called; what importing a module does is not counted. A constant is
an assignment of a module or class, or a default of a parameter, that holds a number other than -1, 0, 1 and 2.
"""

import ast
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pathlib import Path
from types import CodeType, FrameType
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dcode"
LONG = 60
"""Lines of a function above which ARCHITECTURE calls it too long."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def figures() -> dict[str, int]:
    """Every figure by its name; it runs dcode in this process."""
    files, functions = run()
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    trees = [ast.parse(text) for text in texts.values()]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {
        "files run": files,
        "functions run": functions,
        "files": sum(map(has_code, trees)),
        "rooms": len({path.parent for path in texts if path.parent.parent == PACKAGE}),
        "constants": sum(1 for tree in trees for value in set_values(tree) if holds_number(value)),
        "longest file": max(text.count("\n") for text in texts.values()),
        f"functions over {LONG} lines": sum(length(node) > LONG for node in nodes if isinstance(node, Function)),
        "README bytes": (ROOT / "README.md").stat().st_size,
    }


def run() -> tuple[int, int]:
    """Files and functions of dcode that one clean infill calls."""
    from dcode.cli.app import main  # imported before the count begins

    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    streams = {name: io.TextIOWrapper(io.BytesIO(), "utf-8") for name in ("stdin", "stdout", "stderr")}
    with tempfile.TemporaryDirectory() as folder, chdir(folder), patch.dict(os.environ):
        os.environ.update(dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), folder))
        write_model(Path("tiny"))
        Path("a.py").write_text("def same(x):\n    return x\n", encoding="utf-8")
        with ExitStack() as stack:
            for name, stream in streams.items():
                stack.enter_context(patch.object(sys, name, stream))
            sys.setprofile(note)
            try:
                code = main(["infill", "a.py", "--lines", "2", "--slots", "1", "-m", "./tiny"])
            finally:
                sys.setprofile(None)
    said = streams["stderr"].buffer.getvalue().decode()
    assert code == 0 and "repair" not in said, f"not clean: exit {code}, {said}"
    ours = {one for one in called if one.co_filename.startswith(f"{PACKAGE}{os.sep}") and one.co_name[0] != "<"}
    return len({one.co_filename for one in ours}), len(ours)


def write_model(folder: Path) -> None:
    """A model folder of random weights, with the embedded model's tokenizer."""
    import torch

    from dcode.model.backbone import Backbone, initialise
    from dcode.model.weights import pack
    from dcode.train.config import network

    folder.mkdir()
    tokenizer = shutil.copy(PACKAGE / "weights/mini/tokenizer.json", folder)
    config = network("tiny", len(json.loads(Path(tokenizer).read_text("utf-8"))["model"]["vocab"]), 256)
    net = Backbone(config)
    initialise(net, torch.Generator().manual_seed(0))
    weights = pack(net.state_dict())
    card = {"format": "dcode/1", "network": config.to_json(), "sha256": hashlib.sha256(weights).hexdigest()}
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(json.dumps(card), encoding="utf-8")


def has_code(tree: ast.Module) -> bool:
    """Whether a file holds more than what it says of itself."""
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in tree.body)


def set_values(tree: ast.Module) -> Iterator[ast.expr]:
    """What the names of a module, its classes' fields and its functions' parameters are set to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            for one in node.body:
                if isinstance(one, ast.Assign | ast.AnnAssign) and one.value is not None:
                    yield one.value
        elif isinstance(node, ast.arguments):
            yield from (value for value in (*node.defaults, *node.kw_defaults) if value is not None)


def holds_number(value: ast.expr) -> bool:
    """Whether it holds a number other than -1, 0, 1 and 2."""
    parts = [one.value for one in ast.walk(value) if isinstance(one, ast.Constant)]
    return any(type(part) in (int, float) and part not in (0, 1, 2) for part in parts)


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, from its `def` to its last."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


if __name__ == "__main__":
    for name, figure in figures().items():
        print(f"{figure:6}  {name}")
