"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a user's file: path relative to the root (POSIX separators), line counted from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Where, which check, what was expected, what was seen, and what to do next."""

    check: str
    location: Location
    summary: str
    expected: str = ""
    seen: str = ""
    next_step: str = ""
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.location}: {self.summary} [{self.check}]"]
        for title, text in (("expected", self.expected), ("seen", self.seen)):
            if text:
                lines.append(f"  {title + ':':<10}{text}")
        lines += [f"  {line}" for line in self.details]
        if self.next_step:
            lines.append(f"  {'next:':<10}{self.next_step}")
        return "\n".join(lines)
