"""How a request is written in front of code, for training and inference alike. It does not know models or files."""


def request_header(prompt: str, comment: str) -> str:
    """The lines that ask for a program: the prompt, one comment line per line of it, ending in a newline."""
    lines = [line.strip() for line in prompt.strip().splitlines()]
    return "".join(f"{comment} {line}".rstrip() + "\n" for line in lines if line)
