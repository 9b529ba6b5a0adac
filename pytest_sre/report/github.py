"""GitHub's annotations: workflow commands on stdout, one for each finding."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_sre.model.finding import Finding
from pytest_sre.report.outcome import Outcome, told
from pytest_sre.report.place import in_repository

# What GitHub shows of each kind for one step, and how long a message the runner keeps.
SHOWN = 10
_LEVELS = {"info": "notice"}
_LONGEST = 4000
_LONGEST_TITLE = 200


def commands(outcomes: Iterable[Outcome], root: Path, top: Path) -> list[str]:
    """The lines to print; paths relative to ``root`` become relative to ``top``, the repository's top folder.

    A broken stack is at no line of a file. What GitHub would not show is counted in a notice.
    """
    outcomes = list(outcomes)
    broken = dict.fromkeys(one.message for one in outcomes if one.outcome == "error")
    lines: dict[str, list[str]] = {"error": [], "warning": []}
    for message in broken:
        lines["error"].append(_command("error", {"title": "pytest-sre: error"}, message))
    for outcome, finding in told(outcomes):
        lines[finding.severity].append(_annotation(outcome, finding, root, top))
    hidden = [_more(kind, len(some) - SHOWN) for kind, some in lines.items() if len(some) > SHOWN]
    shown = [line for some in lines.values() for line in some[:SHOWN]]
    if hidden:
        text = f"GitHub shows {SHOWN} of each kind; only the job's summary has {' and '.join(hidden)}"
        shown.append(_command("notice", {"title": "pytest-sre: more findings"}, text))
    return shown


def _more(kind: str, count: int) -> str:
    return f"{count} more {kind}" + "s" * (count > 1)


def _annotation(outcome: Outcome, finding: Finding, root: Path, top: Path) -> str:
    properties = {
        "file": in_repository(finding.location.path, root, top),
        "line": str(finding.location.line),
        "title": outcome.name[:_LONGEST_TITLE],
    }
    # The runner's log shows the message only, so it holds everything.
    return _command(_LEVELS.get(finding.severity, finding.severity), properties, finding.text)


def _command(kind: str, properties: dict[str, str], message: str) -> str:
    if len(message) > _LONGEST:
        message = message[:_LONGEST].rstrip() + "\n… cut; pytest's output has all of it"
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{kind} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
