"""What the README says that a machine can check: help texts, the two set-up commands, a picture.

`python tests/readme.py` writes the blocks anew · `python tests/readme.py commands` prints the set-up commands ·
`python tests/readme.py picture PROMPT` prints the states of a real run. tests/test_readme.py compares.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
HELP = ("dcode --help", "dcode gen --help", "dcode infill --help")


def block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?s)(<!-- {name} -->\n```\w*\n)(.*?)(```\n<!-- end -->)")


def help_text() -> str:
    """The help of the main commands, 80 columns wide."""
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}
    parts = []
    for line in HELP:
        command = [sys.executable, "-m", *line.split()]
        text = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        parts.append(f"$ {line}\n{text.strip()}\n")
    return "\n".join(re.sub(r"[ \t]+$", "", part, flags=re.MULTILINE) for part in parts)


def commands() -> list[str]:
    """The two set-up commands, as a person would paste them."""
    return re.findall(r"(?m)^```sh setup\n(.*)\n```$", README.read_text(encoding="utf-8"))


def picture(prompt: str, columns: int = 100) -> str:
    """A real run, one line a forward pass: dots are masks, the rest is what the model had settled by then."""
    import dcode
    from dcode.jobs.generate import generate
    from dcode.syntax.grammar import grammar
    from dcode.text.frame import Frame

    model = dcode.load()
    row = model.checkpoint
    plan = dcode.Plan.preset("balanced", {**row.defaults, **row.programs}, row.presets)
    frames: list[Frame] = []
    for seen in generate(prompt, model, grammar("python"), plan):
        if isinstance(seen, Frame):
            frames = [seen] if seen.index == 1 else [*frames, seen]  # a candidate that failed is begun again
    shown = [frames[round(i * (len(frames) - 1) / 7)] for i in range(8)] if len(frames) > 8 else frames
    lines = []
    for frame in shown:
        slots = frame.holes[0][:60]
        text = "".join("·" if s.state in ("masked", "dropped") else s.text.replace("\n", "⏎") for s in slots)
        lines.append(f"{frame.index:>3}  {text[:columns]}")
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """The README with its generated block made anew."""
    text, count = block("help").subn(lambda m: m[1] + help_text() + m[3], text)
    assert count == 1, "the README has no block called help"
    return text


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
        case ["commands"]:
            print("\n".join(commands()))
        case ["picture", prompt]:
            print(picture(prompt), end="")
