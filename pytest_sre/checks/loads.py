"""Does the real server load the file?"""

from __future__ import annotations

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict

NAME = "loads"


def judge(verdict: FileVerdict) -> tuple[Finding, ...]:
    """Pass when the server that reads the file had nothing to say about it."""
    if not verdict.error:
        return ()
    return (
        Finding(
            NAME,
            Location(verdict.path, verdict.line),
            "this file does not load",
            expected="a file that the server loads",
            seen=verdict.error,
            next_step="mend the file; the message is the parser's own",
        ),
    )
