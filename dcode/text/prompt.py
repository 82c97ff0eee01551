"""How a request is written in front of code, for training and inference alike. It does not know models or files."""

import textwrap


def request_header(prompt: str, comment: str) -> str:
    """The lines that ask for a program: the prompt, one comment line per line of it, ending in a newline."""
    lines = [line.strip() for line in prompt.strip().splitlines()]
    return "".join(f"{comment} {line}".rstrip() + "\n" for line in lines if line)


def edit_prompt(instruction: str, old: str, comment: str) -> str:
    """The lines that ask for a change: `# edit: INSTRUCTION`, then the old code as comment lines marked `#-`.

    Without `old` only the instruction stands there, for code that is still to be seen below.
    """
    lines = textwrap.dedent(old).strip("\n").splitlines()
    marked = "".join(f"{comment}- {line}".rstrip() + "\n" for line in lines)
    return request_header(f"edit: {instruction.strip()}", comment) + marked
