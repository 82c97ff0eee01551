"""A range of bytes. It does not know whose bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """Half-open range of byte offsets, `start <= end`."""

    start: int
    end: int

    def __post_init__(self) -> None:
        assert 0 <= self.start <= self.end, f"not a span: {self.start}..{self.end}"

    def __len__(self) -> int:
        return self.end - self.start

    def __bool__(self) -> bool:
        """An empty span is still a place: truth is never about its length."""
        return True

    def overlaps(self, other: "Span") -> bool:
        """Whether a byte lies in both; an empty span overlaps what strictly encloses its position."""
        return self.start < other.end and other.start < self.end

    def shift(self, by: int) -> "Span":
        """The same length, `by` bytes further on."""
        return Span(self.start + by, self.end + by)
