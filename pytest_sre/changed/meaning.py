"""The meaning of an alert: facts that differ between two revisions only if it may behave differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pytest_sre.changed.facts import Fact, Facts, Key, canonical
from pytest_sre.changed.routes import Routes, Seen, Truths, together
from pytest_sre.changed.rules import Rules, raw_names, recording_facts
from pytest_sre.changed.runbooks import Runbooks
from pytest_sre.changed.side import Side
from pytest_sre.changed.slos import Slos
from pytest_sre.model.rules import Rule
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.settings import Oncall
from pytest_sre.sources.alert_labels import Labels, static_labels
from pytest_sre.sources.alertmanager import parse_matchers


class Meanings:
    """The meanings of one side's alerts."""

    def __init__(self, side: Side) -> None:
        """Read what all alerts share; raises nothing."""
        self._side = side
        inventory = side.inventory
        self.rules = Rules(inventory.rule_files, inventory.prometheus)
        self.routes = Routes(inventory.routing) if inventory.routing else None
        self._runbooks = Runbooks(side.settings)
        self._slos = Slos(side.settings.file)
        self._oncall = _Expectations(side.settings.file.oncall)
        self._common = dict(_common(side))

    @property
    def common(self) -> Facts:
        """What concerns all alerts: servers, external labels, relabelling."""
        return self._common

    def facts(self, rule: Rule) -> Facts:
        """All that an alert means, its name excepted."""
        closure = self.rules.closure(rule)
        labels = self.labels(rule)
        return {
            **self.firing(rule),
            **self.routed(labels),
            **self._runbooks.facts(rule),
            **self._kind(rule),
            **self._slos.facts(rule, closure),
            **self._oncall.facts(labels),
        }

    def firing(self, rule: Rule) -> Facts:
        """What an alert's firing, and what it then says, hang on."""
        closure = self.rules.closure(rule)
        return {
            **self.rules.facts(rule),
            **recording_facts(self.rules, closure),
            **self._common,
            **dict(self._series(rule)),
            **dict(self._metrics(rule, closure)),
        }

    def routed(self, labels: Labels) -> Facts:
        """Where an alert with these labels may go."""
        return self.routes.facts(labels) if self.routes else {}

    def labels(self, rule: Rule) -> Labels:
        """The labels that an alert will have, as far as they are known."""
        return static_labels(rule, self.rules.labels(rule), self._side.inventory.prometheus)

    @property
    def asked(self) -> Mapping[str, str]:
        """What is asked of each SLO, policy included, by its name."""
        return self._slos.asked

    def about(self, rule: Rule) -> frozenset[str]:
        """The SLOs that an alert may be about."""
        return self._slos.about(rule, self.rules.closure(rule))

    def _kind(self, rule: Rule) -> Facts:
        kind = self._side.settings.file.severities.kind_of({**self.rules.labels(rule), **rule.labels})
        text = kind or "neither page nor ticket"
        return {Key("severity", ""): Fact(text, "by `severities` of sre.yaml", shown=True)}

    def _series(self, rule: Rule) -> Iterator[tuple[Key, Fact]]:
        names = (rule.name, f"{rule.location.path}::{rule.name}")
        entries = [
            entry.model_dump(mode="json", exclude={"alert"})
            for entry in self._side.settings.file.series
            if entry.alert in names
        ]
        if entries:
            yield Key("settings", "series"), Fact(canonical(entries), "series by hand in sre.yaml")

    def _metrics(self, rule: Rule, closure: Mapping[Rule, int]) -> Iterator[tuple[Key, Fact]]:
        snapshots = self._side.inventory.snapshots
        for name in sorted(raw_names(rule, closure)) if snapshots else ():
            if name in snapshots.labels:
                value = _shown(snapshots, name)
                yield Key("metrics", name), Fact(value, f"metric {name} in the snapshots")
            elif not name:
                whole = canonical([_shown(snapshots, one) for one in sorted(snapshots.labels)])
                yield Key("metrics", name), Fact(whole, "snapshots of metrics")


@lru_cache(maxsize=20_000)
def _shown(snapshots: Snapshots, name: str) -> str:
    """What the pages say of one metric; values count: alerts are asked whether they are quiet on them."""
    pages = [
        [
            [page.healthy, page.labels, page.taken],
            [[one.labels, repr(one.value)] for one in page.series[name]],
        ]
        for page in snapshots.pages
        if name in page.series
    ]
    return canonical([snapshots.types.get(name), sorted(snapshots.targets), pages])


class _Expectations:
    """The entries of `oncall`: of those without a time the first that fits an alert counts."""

    def __init__(self, entries: tuple[Oncall, ...]) -> None:
        matchers = [tuple(m for text in entry.match for m in parse_matchers(text)) for entry in entries]
        self._truths = Truths(matcher for each in matchers for matcher in each)
        self._entries = list(zip(map(self._truths.numbers, matchers), entries, strict=True))
        self._memo: dict[Seen, Facts] = {}

    def facts(self, labels: Labels) -> Facts:
        """The entries that may be the first that fits."""
        seen = self._truths.seen(labels)
        if seen not in self._memo:
            value = []
            for numbers, entry in self._entries:
                fits = together(numbers, seen)
                if fits is not False:
                    still_open = self._truths.undecided(numbers, seen)
                    value.append([still_open, sorted(entry.reaches), sorted(entry.never), *_hours(entry)])
                if fits and entry.at is None:
                    break
            # Where there are entries and none fits, the check fails; without any it has a rule of its own.
            facts = {Key("settings", "oncall"): Fact(canonical(value), "expectation in `oncall` of sre.yaml")}
            self._memo[seen] = facts if self._entries else {}
        return self._memo[seen]


def _hours(entry: Oncall) -> list[str]:
    """What an entry says of hours."""
    return [] if entry.always and not entry.at else [str(entry.at), str(entry.always)]


def _common(side: Side) -> Iterator[tuple[Key, Fact]]:
    prometheus = side.inventory.prometheus
    external = prometheus.globals.get("external_labels")
    for name, value in sorted(external.items()) if isinstance(external, Mapping) else ():
        yield Key("prometheus", name), Fact(str(value), f"external label {name}", shown=True)
    if prometheus.alert_relabel_configs:
        yield (
            Key("prometheus", "alert_relabel_configs"),
            Fact(canonical(prometheus.alert_relabel_configs), "alert_relabel_configs of Prometheus"),
        )
    if any(prometheus.alertmanager_relabel_configs):
        yield (
            Key("prometheus", "alertmanagers"),
            Fact(
                canonical(prometheus.alertmanager_relabel_configs),
                "alert_relabel_configs of the Alertmanagers",
            ),
        )
    share = side.settings.file.healthy_error_share
    yield Key("settings", "healthy"), Fact(str(share), "healthy_error_share in sre.yaml", shown=True)
    # How the servers are run here, in containers or not, changes nothing for production.
    servers = side.settings.file.servers.model_dump(mode="json", include={"prometheus", "alertmanager"})
    for name, leaf in _leaves("servers", servers):
        yield Key("settings", name), Fact(canonical(leaf), f"{name} in sre.yaml")


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    else:
        yield name, value
