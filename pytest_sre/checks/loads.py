"""Does the real server load the file, and without a warning?"""

from __future__ import annotations

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict, FileWarning

NAME = "loads"


def judge(verdict: FileVerdict) -> tuple[Finding, ...]:
    """Pass when the server that reads the file loads it; what it warns about is a warning."""
    if not verdict.error:
        return tuple(_warning(verdict.path, warning) for warning in verdict.warnings)
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


def _warning(path: str, warning: FileWarning) -> Finding:
    return Finding(
        NAME,
        Location(path, warning.line),
        "the server loads this with a warning",
        seen=warning.text,
        next_step=f"write {warning.suggestion}"
        if warning.suggestion
        else "mend it before an update of the server",
        severity="warning",
    )
