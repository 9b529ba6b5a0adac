"""A summary that reads like a review, as Markdown: for GitHub's job summary, a file, or a comment."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_sre.model.finding import plain
from pytest_sre.report.detection import Table
from pytest_sre.report.outcome import Kind, Outcome

LIMIT = 1024 * 1024  # bytes that GitHub takes of one step
_COLUMNS: tuple[tuple[Kind, str], ...] = (
    ("passed", "proven"),
    ("warned", "with warnings"),
    ("failed", "failed"),
    ("skipped", "NOT proven"),
    ("error", "errors"),
)
# What Markdown, and GitHub's with mentions and mathematics, reads anywhere, and what only at the start of a line.
_SPECIAL = re.compile(r"([\\`*_\[\]~@$])")
_LEADING = re.compile(r"^(\d*)([#+\-.)])")
_NAMED = 3
_UNFOLDED = 10
_OPEN = 4  # tables
_FOR_THE_REST = 200  # bytes, for the line that tells what was left out


def render(
    outcomes: Sequence[Outcome],
    review: Sequence[str] = (),
    versions: Sequence[tuple[str, Mapping[str, str]]] = (),
    detection: Sequence[Table] = (),
    limit: int = LIMIT,
) -> str:
    """The summary, of at most ``limit`` bytes.

    ``review`` are lines of plain text that say what a change means; ``versions`` has a label and each program's
    version for every stack; ``detection`` says when alerts fire. What is too much is left out by whole blocks, and counted.
    """
    blocks = [f"## {headline(outcomes)}"]
    blocks += ["\n".join(f"- {prose(line)}" for line in review)] if review else []
    blocks += [_table(outcomes)] if outcomes else []
    blocks += list(_findings(outcomes))
    blocks += list(_unproven(outcomes))
    blocks += [detected(table, open_=len(detection) <= _OPEN) for table in detection]
    blocks += ["\n".join(_versions(versions))] if versions else []
    return "\n\n".join(_within(blocks, limit)) + "\n"


def headline(outcomes: Sequence[Outcome]) -> str:
    """One line: what a reviewer must know."""
    failed = [one for one in outcomes if one.outcome == "failed"]
    alerts = _alerts(outcomes)
    if any(one.outcome == "error" for one in outcomes) and not failed:
        return f"❌ Nothing is known of {_number(len(alerts), 'alert')}: the run ended in an error"
    if failed:
        files = [code(one.location.path) for one in failed if not one.alert]
        bad = [code(name) for name in _alerts(failed)]
        parts = [f"{len(bad)} of {_number(len(alerts), 'alert')} failed: {_listed(bad)}"] if bad else []
        parts += [f"{_number(len(files), 'file')} not loaded: {_listed(files)}"] if files else []
        return "❌ " + "; ".join(parts)
    if not outcomes:
        return "No alert was tested"
    open_ = _alerts(one for one in outcomes if one.outcome == "skipped")
    if open_:
        return f"⚠️ {len(open_)} of {_number(len(alerts), 'alert')} NOT proven in all respects"
    warned = _alerts(one for one in outcomes if one.outcome == "warned")
    if warned:
        return f"⚠️ {_number(len(alerts), 'alert')} proven, {len(warned)} with warnings"
    return f"✅ {_number(len(alerts), 'alert')} proven"


def _alerts(outcomes: Iterable[Outcome]) -> list[str]:
    """The names of alerts, each as often as alerts have it: those of one name differ by their lines."""
    found = {(one.location, one.alert): one.alert for one in outcomes if one.alert}
    return list(found.values())


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(names: Sequence[str]) -> str:
    shown = list(dict.fromkeys(names))
    more = len(shown) - _NAMED
    return ", ".join(shown[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _table(outcomes: Sequence[Outcome]) -> str:
    counts: dict[str, Counter[str]] = {}
    for one in outcomes:
        counts.setdefault(one.check, Counter())[one.outcome] += 1
    columns = [
        (kind, title)
        for kind, title in _COLUMNS
        if kind != "warned" or any(one.outcome == "warned" for one in outcomes)
    ]
    lines = [
        "| check | " + " | ".join(title for _, title in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for check, count in counts.items():
        cells = [str(count[kind]) for kind, _ in columns]
        lines.append(f"| {_cell(code(check))} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def detected(table: Table, open_: bool) -> str:
    """When alerts fire, to be folded away."""
    first, *more = (f"| {' | '.join(map(prose, cells))} |" for cells in (*table.head, *table.rows))
    rows = "\n".join([first, "|---|" + "---:|" * (len(table.head[0]) - 1), *more])
    return f"<details{' open' * open_}><summary>{_inert(table.title)}</summary>\n\n{rows}\n\n</details>"


def _cell(text: str) -> str:
    """Inline Markdown for a table: a pipe ends a cell even within code."""
    return text.replace("|", "\\|")


def _findings(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Failures and warnings: a line each, the rest folded away."""
    for title, kinds in (("Errors", ("error",)), ("Failed", ("failed",)), ("Warnings", ("warned",))):
        some = [one for one in outcomes if one.outcome in kinds]
        if some:
            yield f"### {title}"
        yield from (_details(one) for one in some)


def _details(outcome: Outcome) -> str:
    first = outcome.findings[0] if outcome.findings else None
    summary = first.title if first else outcome.message.partition("\n")[0]
    where = str(first.location) if first else ""
    more = f" (and {len(outcome.findings) - 1} more)" if len(outcome.findings) > 1 else ""
    text = "\n".join(map(str, outcome.findings)) or outcome.message
    head = f"<b>{_inert(outcome.name)}</b> {_inert(summary)}{more}" + (
        f" <code>{_inert(where)}</code>" * bool(where)
    )
    return f"<details><summary>{head}</summary>\n\n{fenced(text)}\n\n</details>"


def _unproven(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What was not proven, by reason; many reasons are folded away."""
    reasons: dict[str, list[str]] = {}
    for one in outcomes:
        if one.outcome == "skipped":
            reasons.setdefault(one.message, []).append(code(f"{one.location.path}::{one.name}"))
    if not reasons:
        return
    yield "### NOT proven"
    listed = "\n".join(f"- {prose(reason)}: {_listed(names)}" for reason, names in reasons.items())
    if len(reasons) > _UNFOLDED:
        listed = f"<details><summary>{len(reasons)} reasons</summary>\n\n{listed}\n\n</details>"
    yield listed


def _versions(versions: Sequence[tuple[str, Mapping[str, str]]]) -> Iterator[str]:
    for label, programs in versions:
        named = ", ".join(f"{program.capitalize()} {version}" for program, version in programs.items())
        yield f"- {prose(f'{label}: {named}' if label else named)}"


def _within(blocks: Sequence[str], limit: int) -> Iterator[str]:
    """As many blocks as fit, and a word on the others."""
    sizes = [len(block.encode()) + 2 for block in blocks]
    if sum(sizes) <= limit:
        yield from blocks
        return
    room, left = limit - _FOR_THE_REST, 0
    for block, size in zip(blocks, sizes, strict=True):
        if size <= room:
            room -= size
            yield block
        else:
            left += 1
    yield f"… {_number(left, 'paragraph')} left out: too much for one summary. The log and the JUnit report have all."


def prose(text: str) -> str:
    """Any text on one line, so that Markdown shows it as it is."""
    text = _SPECIAL.sub(r"\\\1", " ".join(plain(text).split()))
    text = _LEADING.sub(r"\1\\\2", text)
    return html.escape(text, quote=False).replace("|", "&#124;")


def code(text: str) -> str:
    """Any text on one line as a code span."""
    text = " ".join(plain(text).split()) or " "
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(text: str) -> str:
    """Any lines as a code block."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{plain(text)}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _inert(text: str) -> str:
    """Any text on one line, for HTML within Markdown."""
    return html.escape(" ".join(plain(text).split()), quote=False)
