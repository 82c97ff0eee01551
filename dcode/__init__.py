"""dcode: write and fill code with masked-diffusion language models.

The public names are those of `__all__`. They are fetched on first use, so that `import dcode` costs nothing
and imports no torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "load": "dcode.model.load",
    "generate": "dcode.jobs.generate",
    "infill": "dcode.jobs.infill",
    "edit": "dcode.jobs.edit",
    "fix": "dcode.jobs.fix",
    "Source": "dcode.text.source",
    "Span": "dcode.text.span",
    "Edit": "dcode.text.edit",
    "Plan": "dcode.diffusion.plan",
    "Result": "dcode.text.result",
    "DcodeError": "dcode.errors",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """The public name `name`, from the room it lives in (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'dcode' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
