"""Text made safe for a terminal: nothing in it can move the cursor, hide, reorder or give a command."""

_SHOWN_AS_CODE = (
    *range(0x80, 0xA0),  # C1: one-character forms of escape sequences
    0x061C,  # Arabic letter mark
    *range(0x200B, 0x2010),  # zero width, left-to-right and right-to-left marks
    *range(0x2028, 0x202F),  # line and paragraph separators, embeddings and overrides
    *range(0x2060, 0x2070),  # word joiner, isolates, invisible operators
    0xFEFF,
    *range(0xFFF9, 0xFFFC),  # interlinear annotation
    *range(0xE0000, 0xE0080),  # tags: invisible copies of ASCII
)
_VISIBLE = (
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}  # ␛ and its like
    | {0x7F: "␡"}
    | {code: f"<U+{code:04X}>" for code in _SHOWN_AS_CODE}
    | {code: f"<0x{code - 0xDC00:02X}>" for code in range(0xDC80, 0xDD00)}  # a byte that was not UTF-8
    | {code: f"<U+{code:04X}>" for code in (*range(0xD800, 0xDC80), *range(0xDD00, 0xE000))}
)


def visible(text: str) -> str:
    """The text with every control but newline and tab, and every invisible or reordering mark, made visible.

    What is returned can always be encoded as UTF-8. A second pass changes nothing.
    """
    return text.translate(_VISIBLE)
