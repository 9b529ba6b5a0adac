"""What a person sees while and after a run."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from pytest_sre.report import detection
from pytest_sre.report.seen import Seen
from pytest_sre.sources.discover import Inventory


class Progress:
    """A line that says what the stack is doing: redrawn on a terminal, else a line a stage."""

    def __init__(self, config: Any) -> None:
        self.capture = config.pluginmanager.getplugin("capturemanager")
        self.reporter = config.pluginmanager.getplugin("terminalreporter")
        self.quiet = self.reporter is None or config.getoption("verbose") < 0
        self.began = time.monotonic()
        self.last = ""
        self.stages: set[tuple[str, str]] = set()
        self.lock = threading.Lock()
        self.live = bool(self.reporter) and self.reporter._tw.hasmarkup

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self.live and self.last and not self.quiet:
            self._write("\r\x1b[K")

    def tell(self, text: str, who: str = "") -> None:
        """Show a stage of one of the stacks; a text that ends a line stays, and is shown in quiet runs too."""
        with self.lock:
            self._tell(f"{who}: {text}" if who else text, who)

    def _tell(self, text: str, who: str) -> None:
        stays = text.endswith("\n")
        if stays and self.reporter is not None:
            self._write(("\r\x1b[K" if self.live else "") + f"sre: {text}")
        elif not self.quiet and text != self.last:
            line = f"sre: {time.monotonic() - self.began:4.1f} s  {text}"
            if self.live:
                self._write(f"\r\x1b[K{line}")
            elif (who, _stage(text)) not in self.stages:  # those of the two clocks take turns
                self._write(f"{line}\n")
        self.last = text
        self.stages.add((who, _stage(text)))

    def _write(self, text: str) -> None:
        if self.capture is None:
            self.reporter._tw.write(text, flush=True)
            return
        with self.capture.global_and_fixture_disabled():
            self.reporter._tw.write(text, flush=True)


def _stage(text: str) -> str:
    return "".join(char for char in text if not char.isdigit())


def summary(
    reporter: Any,
    reports: Sequence[Any],
    inventories: Sequence[Inventory],
    stacks: Sequence[Seen],
    review: Sequence[str],
) -> None:
    """Counts of what was proven and what was not, when alerts fire, and the files that were passed over."""
    counts: dict[str, Counter[str]] = {}
    for report in reports:
        check = dict(report.user_properties).get("sre_check", "loads")
        if report.when == "call" or report.outcome != "passed":
            broken = report.when != "call" and report.outcome == "failed"
            counts.setdefault(check, Counter())["error" if broken else report.outcome] += 1
    passed_over = list(dict.fromkeys(one for inventory in inventories for one in inventory.skipped))
    if not counts and not passed_over and not review:
        return
    reporter.write_sep("-", "pytest-sre")
    width = max([8, *map(len, counts)])
    for check, count in counts.items():
        line = f"{check:{width}} {count['passed']:5} proven"
        line += "".join(f", {count[kind]} {name}" for kind, name in _OTHERS if count[kind])
        reporter.write_line(line)
    for line in _detection(stacks, reporter):
        reporter.write_line(line)
    for stack in stacks:
        reporter.write_line(_stack(stack))
    for line in review:
        reporter.write_line(line)
    for skipped in passed_over[:20]:
        reporter.write_line(f"passed over {skipped.path}: {skipped.reason}")
    if len(passed_over) > 20:
        reporter.write_line(f"passed over {len(passed_over) - 20} more files")


def _stack(stack: Seen) -> str:
    """What a stack did, in a line."""
    seen = stack.observations
    versions = ", ".join(f"{name.capitalize()} {version}" for name, version in seen.versions.items())
    sent = sum(len(alert.notifications) for alert in seen.alerts.values())
    fired = sum(alert.state == "firing" for alert in seen.alerts.values())
    took = max(seen.seconds.values(), default=0.0)
    label = f"{stack.label}: " if stack.label else ""
    return f"{label}{versions}: {fired} alerts fired, {sent} notifications received, in {took:.1f} s"


def _detection(stacks: Sequence[Seen], reporter: Any) -> Iterator[str]:
    """Tables of SLOs; with -v all of them, and the alerts that watch over none."""
    width, verbose = reporter._tw.fullwidth, reporter.config.getoption("verbose")
    found = [table for stack in stacks for table in detection.tables(stack)]
    shown = found if verbose > 0 else found[: _TABLES if verbose == 0 else 0]
    if verbose > 0:
        shown += [table for stack in stacks if (table := detection.others(stack))]
    for table in shown:
        yield from detection.aligned(table, width)
    if verbose == 0 and len(found) > _TABLES:
        yield f"and {len(found) - _TABLES} more SLOs; -v shows them"


_TABLES = 10
_OTHERS = (("failed", "failed"), ("error", "NOT proven (error)"), ("skipped", "NOT proven (skipped)"))
