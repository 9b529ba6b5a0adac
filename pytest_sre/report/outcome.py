"""What became of each item. Findings travel on pytest's reports as simple types, which pytest-xdist can send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pytest_sre.model.finding import Finding, Location, plain

Kind = Literal["passed", "warned", "failed", "skipped", "error"]
_ATTRIBUTE = "sre_item"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One item's verdict; ``alert`` is empty for a file's own item, ``message`` is what the report tells.

    ``skipped`` is not proven, ``warned`` passed with findings that only warn, ``error`` a broken stack.
    A failed outcome has at least one finding.
    """

    nodeid: str
    check: str
    alert: str
    outcome: Kind
    location: Location
    message: str
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """The item's id without its file."""
        return self.nodeid.partition("::")[2] or self.nodeid


def attach(report: Any, *, check: str, alert: str, location: Location, findings: Iterable[Finding]) -> None:
    """Give a test report, of any phase, what `outcomes` reads back, here or in the controlling process."""
    sent = {
        "check": check,
        "alert": alert,
        "location": [location.path, location.line],
        "findings": [_packed(finding) for finding in findings],
    }
    setattr(report, _ATTRIBUTE, sent)


def _packed(finding: Finding) -> dict[str, Any]:
    packed = asdict(finding)
    packed["location"] = [finding.location.path, finding.location.line]
    packed["details"] = list(finding.details)
    return packed


def _unpacked(packed: Mapping[str, Any]) -> Finding:
    return Finding(
        **{**packed, "location": Location(*packed["location"]), "details": tuple(packed["details"])}
    )


def outcomes(reports: Iterable[Any]) -> list[Outcome]:
    """The outcome of each item that was run to its end, by place and name; others' reports are passed over."""
    phases: dict[str, list[Any]] = {}
    for report in reports:
        if hasattr(report, _ATTRIBUTE):
            phases.setdefault(report.nodeid, []).append(report)
    decided = (_deciding(these) for these in phases.values())
    found = [_outcome(report) for report in decided if report is not None]
    return sorted(found, key=lambda one: (one.location, one.nodeid))  # pytest-xdist has no order of its own


def _deciding(reports: Sequence[Any]) -> Any | None:
    """The report that tells an item's end; of one that was run again it is the last. None: cut off."""
    broken = [one for one in reports if one.when != "call" and one.outcome == "failed"]
    called = [one for one in reports if one.when == "call"]
    skipped = [one for one in reports if one.outcome == "skipped"]
    return next((group[-1] for group in (broken, called, skipped) if group), None)


def _outcome(report: Any) -> Outcome:
    item = getattr(report, _ATTRIBUTE)
    kind = _kind(report, any(one["severity"] == "warning" for one in item["findings"]))
    location, message = Location(*item["location"]), _message(report)
    findings = tuple(map(_unpacked, item["findings"])) if kind in ("failed", "warned", "passed") else ()
    if kind == "failed" and not findings:
        summary, _, more = message.partition("\n")
        findings = (Finding(item["check"], location, summary, details=tuple(more.splitlines())),)
    return Outcome(report.nodeid, item["check"], item["alert"], kind, location, message, findings)


def _kind(report: Any, told: bool) -> Kind:
    if report.outcome == "failed":
        return "failed" if report.when == "call" else "error"
    if report.outcome == "skipped":
        return "skipped"
    return "warned" if told else "passed"


def _message(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return f"expected to fail: {report.wasxfail.removeprefix('reason: ')}".removesuffix(": ")
    if isinstance(report.longrepr, tuple):
        return plain(report.longrepr[2].removeprefix("Skipped: "))
    return plain(str(report.longrepr or ""))


def told(outcomes: Iterable[Outcome]) -> Iterator[tuple[Outcome, Finding]]:
    """Each finding once, with the first item that has it: versions of the servers often agree."""
    seen = set()
    for outcome in outcomes:
        for finding in outcome.findings:
            key = (finding.check, finding.location, finding.summary, finding.severity)
            if key not in seen:
                seen.add(key)
                yield outcome, finding
