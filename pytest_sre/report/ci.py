"""Everything that a CI system shows of a run: annotations, the job's summary, files that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_sre.report import codequality, github, markdown
from pytest_sre.report.detection import Table
from pytest_sre.report.outcome import Outcome
from pytest_sre.report.place import repository


def publish(
    outcomes: Sequence[Outcome],
    *,
    root: Path,
    environ: Mapping[str, str],
    review: Sequence[str] = (),
    versions: Sequence[tuple[str, Mapping[str, str]]] = (),
    detection: Sequence[Table] = (),
    markdown_path: str = "",
    codequality_path: str = "",
) -> list[str]:
    """Write the reports; the lines to print come back.

    ``root`` is what the findings' paths are relative to. Raises OSError for a file that was asked for and can't
    be written; a job's summary that can't be written is only told.
    """
    top = repository(root, environ)
    if codequality_path:
        codequality.write(Path(codequality_path), outcomes, root, top)
    if markdown_path:
        path = Path(markdown_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, markdown.render(outcomes, review, versions, detection), "w")
    if environ.get("GITHUB_ACTIONS") != "true":
        return []
    lines = github.commands(outcomes, root, top)
    if (outcomes or review) and (summary := environ.get("GITHUB_STEP_SUMMARY")):
        lines += _append(Path(summary), outcomes, review, versions, detection)
    return lines


def _append(
    path: Path,
    outcomes: Sequence[Outcome],
    review: Sequence[str],
    versions: Sequence[tuple[str, Mapping[str, str]]],
    detection: Sequence[Table],
) -> list[str]:
    """Others write to the job's summary too, and all of it must stay below GitHub's limit."""
    try:
        taken = path.stat().st_size if path.exists() else 0
        text = markdown.render(outcomes, review, versions, detection, markdown.LIMIT - taken - 1)
        if len(text.encode()) < markdown.LIMIT - taken:
            _write(path, f"\n{text}" if taken else text, "a")
        return []
    except OSError as error:
        return [f"pytest-sre: cannot write the job's summary {path}: {error.strerror}"]


def _write(path: Path, text: str, mode: str) -> None:
    with path.open(mode, encoding="utf-8", newline="\n") as file:
        file.write(text)
