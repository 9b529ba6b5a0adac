"""Findings that a team knows and accepts for now: a file with the texts of each item, so that only new ones fail."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pytest_sre.errors import UserError
from pytest_sre.model.finding import Finding
from pytest_sre.sources.yamlfile import read_documents

_HEAD = """\
# Findings that are accepted for now, by item: only new ones fail. Mend them, then delete them here.
# Written by `pytest --sre-baseline={name} --sre-baseline-update`.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding; ``line`` is its place in the file."""

    item: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is accepted. With ``update`` everything is, and is written down in the end."""

    path: Path
    entries: tuple[Entry, ...] = ()
    update: bool = False
    _texts: dict[str, Counter[str]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for entry in self.entries:
            self._texts.setdefault(entry.item, Counter())[entry.text] += 1

    def sift(self, item: str, findings: Iterable[Finding]) -> tuple[list[Finding], list[str]]:
        """What is new, and the texts of what is accepted; a text accepts as many findings as it is there times."""
        left = Counter(self._texts.get(item))
        new, accepted = [], []
        for finding in findings:
            text = text_of(finding)
            if finding.severity != "info" and (self.update or left[text] > 0):
                left[text] -= 1
                accepted.append(text)
            else:
                new.append(finding)
        return new, accepted

    def unused(self, ran: Mapping[str, Counter[str]], root: Path) -> Iterator[Entry]:
        """Entries of items that ran and no longer find that, and of files that are gone.

        ``ran`` has the accepted texts of each item that ran, ``root`` is what their paths are relative to.
        """
        left = {item: Counter(texts) for item, texts in ran.items()}
        for entry in self.entries:
            if _is_gone(entry, root):
                yield entry
            elif entry.item in left:
                if not left[entry.item][entry.text]:
                    yield entry
                left[entry.item][entry.text] -= left[entry.item][entry.text] > 0

    def renewed(self, ran: Mapping[str, Counter[str]], root: Path) -> dict[str, list[str]]:
        """The texts of each item now; items that did not run keep theirs, unless their file is gone."""
        kept: dict[str, list[str]] = {}
        for entry in self.entries:
            if entry.item not in ran and not _is_gone(entry, root):
                kept.setdefault(entry.item, []).append(entry.text)
        found = {item: sorted(texts.elements()) for item, texts in ran.items() if texts}
        return dict(sorted({**kept, **found}.items()))


def _is_gone(entry: Entry, root: Path) -> bool:
    return not (root / entry.item.partition("::")[0]).exists()


def text_of(finding: Finding) -> str:
    """What a finding is called here: no line and nothing measured, so it stays the same when lines shift."""
    return f"{finding.check}: {finding.title}"


def read_baseline(path: Path, *, update: bool) -> Baseline:
    """Raises UserError for a file that is missing (unless it is to be written) or wrong."""
    if not path.exists():
        if update:
            return Baseline(path, update=True)
        raise UserError(f"there is no baseline {path}; write it with --sre-baseline-update")
    documents = read_documents(path)
    value = documents[0].value if documents else None
    return Baseline(path, tuple(_entries(path, value)), update)


def _entries(path: Path, value: object) -> Iterator[Entry]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise UserError(f"{path}:1: must be a mapping from items to lists of findings")
    for item, texts in value.items():
        line = value.lines.get(item, 1) if hasattr(value, "lines") else 1
        if not isinstance(texts, list):
            raise UserError(f"{path}:{line}: {item}: must be a list of findings")
        lines: Sequence[int] = getattr(texts, "lines", [])
        for place, text in enumerate(texts):
            at = lines[place] if place < len(lines) else line
            if not isinstance(text, str):
                raise UserError(f"{path}:{at}: {item}: a finding must be a text")
            yield Entry(str(item), text, at)


def write_baseline(path: Path, texts: Mapping[str, Sequence[str]]) -> None:
    """Write it all at once; raises OSError."""
    body = yaml.safe_dump(dict(texts), sort_keys=False, allow_unicode=True, width=10_000) if texts else "{}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text(_HEAD.format(name=path.name) + body, "utf-8")
    os.replace(beside, path)
