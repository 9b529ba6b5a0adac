"""Native histograms on the live stack: promtool's import has none, so all history is written once the server runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pytest_sre.model.observation import Change
from pytest_sre.model.samples import Histogram, Value
from pytest_sre.model.scenario import Batch, Labels, NotSynthesised, Scenario, Series
from pytest_sre.settings import PrometheusServer
from pytest_sre.stack import prometheus
from pytest_sre.stack.prometheus import RuleState

Written = tuple[Labels, list[tuple[float, Value]]]
CHANGE = Change(
    "servers.prometheus",
    "feature_flags",
    f"--enable-feature={prometheus.HISTOGRAMS} for the alerts that read native histograms",
)

NOT_FIRED = "native histograms are searched as classic ones, and Prometheus does not fire on what was found"


def has_histograms(batch: Batch) -> bool:
    """Whether any of its series is a native histogram."""
    return any(isinstance(value, Histogram) for one in batch.series for _, value in one.samples[:1])


def plan_of(scenario: Scenario, state: RuleState) -> Scenario | NotSynthesised:
    """What is said of an alert's series: where Prometheus does not fire on native histograms, they are to blame."""
    native = any(isinstance(value, Histogram) for one in scenario.series for _, value in one.samples[:1])
    if state.state == "firing" or state.error or not native:
        return scenario
    return NotSynthesised(scenario.alert, NOT_FIRED)


def settings(given: PrometheusServer, batch: Batch) -> tuple[PrometheusServer, bool]:
    """The settings for a batch's server, and whether it must take samples of any time."""
    if not has_histograms(batch):
        return given, False
    return prometheus.with_histograms(given), True


def history(series: Iterable[Series], states: Mapping[Labels, float], began: float) -> Iterator[Written]:
    """All samples up to ``began`` (seconds since the epoch), and since when alerts are pending, as in `write_history`."""
    for one in series:
        samples = [(began + when, value) for when, value in one.samples if when <= 0]
        if samples:
            yield one.labels, samples
    for labels, since in states.items():
        state, found = prometheus.state_series(labels, since, began)
        yield state, list(found)
