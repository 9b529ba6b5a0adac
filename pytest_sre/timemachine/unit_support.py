"""Which tests of rules a version of Prometheus can't be asked, and why."""

from __future__ import annotations

from pytest_sre.model.samples import Histogram
from pytest_sre.sources import notation
from pytest_sre.timemachine.unit_bench import Bench


def unsupported(bench: Bench) -> str:
    """Why a test can't be run on this version; empty when it can."""
    says = f"Prometheus {bench.prometheus[0]}.{bench.prometheus[1]}"
    modern = bench.prometheus >= (3, 0)
    for one in bench.group.series:
        labels = dict(one.labels)
        if modern and "__name__" not in labels:
            return f"{one.location}: {says} does not take series without a name by remote write"
        if not modern and not _plain(labels):
            return f"{one.location}: {says} does not know such names of metrics or labels"
        if not modern and any(isinstance(value, Histogram) and value.custom_values for value in one.values):
            return f"{one.location}: {says} does not know histograms with custom_values"
    return ""


def _plain(labels: dict[str, str]) -> bool:
    name = labels.get("__name__", "a")
    return bool(notation.METRIC.fullmatch(name)) and all(notation.LABEL.fullmatch(label) for label in labels)
