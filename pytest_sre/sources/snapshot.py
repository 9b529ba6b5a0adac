"""Snapshots of real ``/metrics`` pages: which metrics and labels exist, and of what type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from pytest_sre.errors import UserError


@dataclass(frozen=True, slots=True)
class Snapshots:
    """``labels`` maps each sample name to the label names seen with it; ``types`` each sample name to its type."""

    paths: tuple[str, ...] = ()
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.labels)


def parse_snapshots(texts: Iterable[tuple[str, str]]) -> Snapshots:
    """Union of exposition or OpenMetrics texts, given as (path, text); raises UserError."""
    labels: dict[str, set[str]] = {}
    types: dict[str, str] = {}
    paths = []
    for path, text in texts:
        paths.append(path)
        parse = (
            openmetrics.text_string_to_metric_families
            if text.rstrip().endswith("# EOF")
            else text_string_to_metric_families
        )
        try:
            for family in parse(text):
                for sample in family.samples:
                    labels.setdefault(sample.name, set()).update(sample.labels)
                    types[sample.name] = family.type
        except (ValueError, KeyError, IndexError) as error:
            raise UserError(
                f"{path}: not a metrics page in exposition or OpenMetrics text format: {error}"
            ) from None
    return Snapshots(tuple(paths), {name: frozenset(found) for name, found in labels.items()}, types)
