"""Where dcode's own data lies: inside the installed package, else beside it in a checkout."""

from pathlib import Path

from dcode.errors import DcodeError

PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """The file or folder `name` ("grammars", "checkpoints.toml", "weights/mini") that belongs to this dcode."""
    for base in (PACKAGE, PACKAGE.parent):
        if (base / name).exists():
            return base / name
    raise DcodeError(f"this installation lacks {name}", hint="reinstall dcode-diffusion")
