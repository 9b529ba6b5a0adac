"""Alerts through their scenarios on the real engine, on each of the version pairs."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from servers import REPO, Pair

from pytest_sre.errors import StackError
from pytest_sre.model.observation import TimedObservation
from pytest_sre.model.rules import RuleFile
from pytest_sre.model.scenario import NotSynthesised
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import PrometheusServer, Settings, SreYaml
from pytest_sre.sources.discover import discover
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.stack.process import ProcessStack
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.timemachine import question, run, slots
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.question import Asker
from pytest_sre.timemachine.run import TimeJob
from pytest_sre.timemachine.schedule import Schedule

sys.path.insert(0, str(REPO / "benchmarks"))

NOW = 1_790_000_000.0
RATIO = 'sum by (job) (rate(requests_total{job="a",code=~"5.."}[%s])) / sum by (job) (rate(requests_total{job="a"}[%s]))'
RULES = f"""\
groups:
  - name: records
    interval: 30s
    rules:
      - {{record: "job:errors:ratio_rate5m", expr: '{RATIO % ("5m", "5m")}'}}
      - {{record: "job:errors:ratio_rate1h", expr: '{RATIO % ("1h", "1h")}'}}
      - {{record: "job:errors:ratio_rate6h", expr: '{RATIO % ("6h", "6h")}'}}
  - name: alerts
    interval: 1m
    rules:
      - alert: Burn
        expr: job:errors:ratio_rate1h{{job="a"}} > 14.4 * 0.001 and job:errors:ratio_rate5m{{job="a"}} > 14.4 * 0.001
        for: 2m
      - alert: Slow
        expr: job:errors:ratio_rate6h{{job="a"}} > 6 * 0.001
      - alert: Smooth
        expr: avg_over_time(job:errors:ratio_rate5m{{job="a"}}[30m]) > 0.02
      - alert: Kept
        expr: queue_depth > 100
        for: 5m
        keep_firing_for: 10m
      - alert: Backup
        expr: time() - backup_last_success_timestamp_seconds > 86400
      - alert: Gone
        expr: absent(up{{job="b"}})
        for: 5m
      - alert: Worst
        expr: min_over_time(free_ratio[2d]) > 0.8
      - alert: Named
        expr: temperature > 80
        for: 3m
        labels:
          severity: '{{{{ if gt $value 150.0 }}}}page{{{{ else }}}}ticket{{{{ end }}}}'
"""


def asked(
    stack: ProcessStack, file: RuleFile, names: set[str] | None = None
) -> dict[tuple[str, str], Passage]:
    """All passages by alert and kind."""
    index = RuleIndex(rule for group in file.groups for rule in group.rules)
    asker = Asker(Schedule([file], {}, index), 300.0, NOW)
    questions = []
    for number, rule in enumerate(file.alerts):
        if names is None or rule.name in names:
            made = contrast(rule, index, types={}, now=NOW, lookback=300.0, serial=str(number))
            assert isinstance(made, Contrast), made
            questions += list(asker.plain(rule, made))
    folder = stack.home.parent / f"engine-{len(list(stack.home.parent.iterdir()))}"
    with open_engine(stack, PrometheusServer(), folder, folder.name) as engine:
        machine = Machine(engine, asker.schedule, AlertLabels(stack), 300.0)
        passages = ask(machine, questions, lambda done, of: None)
    found = {}
    for one, passage in zip(questions, passages, strict=True):
        assert passage is not None
        found[one.rule.name, one.kind] = passage
    return found


@pytest.fixture
def file() -> RuleFile:
    return parse_rule_file("rules.yml", RULES)


def test_each_alert_is_quiet_notices_and_ends(stack: ProcessStack, file: RuleFile) -> None:
    seen = asked(stack, file)
    for (name, kind), passage in seen.items():
        assert not passage.error, (name, passage)
        assert passage.early is None, (name, passage)
        if kind == "burn":
            assert None not in (passage.fired, passage.ended), (name, passage)
    assert seen["Kept", "burn"].fired == 300.0  # `for`, from the first evaluation of the burn on
    kept = seen["Kept", "burn"]
    assert kept.ended is not None
    assert kept.recovery is not None
    assert kept.ended - kept.recovery == 600.0
    assert seen["Backup", "burn"].fired == pytest.approx(43_200.0, abs=60.0)  # it was half a day old
    assert seen["Worst", "burn"].fired == pytest.approx(172_800.0, abs=60.0)
    assert seen["Gone", "burn"].fired == 300.0  # a stale marker ends the series at once
    assert seen["Named", "burn"].fired == 180.0
    assert ("Gone", "near") not in seen
    assert ("Burn", "near") in seen


def test_first_and_closer_looks_see_what_all_evaluations_show(
    stack: ProcessStack, file: RuleFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"Burn", "Slow", "Worst", "Backup"}
    some = asked(stack, file, names)
    monkeypatch.setattr(question, "LOOKS", 10**9)
    every = asked(stack, file, names)
    assert some.keys() == every.keys()
    for key, passage in some.items():
        for name in ("early", "pending", "fired", "ended"):
            ours, whole = getattr(passage, name), getattr(every[key], name)
            assert ours == whole or abs(ours - whole) <= passage.interval, (key, name, ours, whole)


ODD = """\
groups:
  - {name: a, interval: 59s, rules: [{alert: Gone, expr: absent(a:sum:sum)}]}
  - {name: b, interval: 61s, rules: [{record: "a:sum:sum", expr: sum(a:sum)}]}
  - {name: c, interval: 53s, rules: [{record: "a:sum", expr: sum(a)}]}
  - {name: d, interval: 1m, rules: [{alert: Long, expr: "min_over_time(heat[20d]) > 80 or absent(heat)"}]}
"""


def test_there_are_data_wherever_it_looks(stack: ProcessStack) -> None:
    seen = asked(stack, parse_rule_file("rules.yml", ODD))
    for (name, kind), passage in seen.items():
        assert passage.early is None, (name, passage)
        if kind == "burn":
            assert None not in (passage.fired, passage.ended), (name, passage)


def test_an_alert_for_which_the_past_is_too_short_has_no_verdict(
    stack: ProcessStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: Hot, expr: heat > 80}]}]")
    settings = Settings(root=tmp_path, folder=tmp_path, search=tmp_path, file=SreYaml())
    inventory = discover(settings)
    (alert,) = inventory.rules
    job = TimeJob(settings, inventory, RuleIndex(()), (alert,), (), (), False, lambda text: None)
    before_1972 = time.time() - 101 * slots.WEEK
    monkeypatch.setattr(slots, "LAST_YEAR", before_1972)  # there is room for the first scenario only
    seen, _ = run.observe(job, stack, tmp_path / "engine")
    assert seen[alert] == TimedObservation(alert, reason=run.NO_ROOM)


def test_what_no_series_fire_is_not_searched_once_more(stack: ProcessStack, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: Hot, expr: heat > 80}]}]")
    settings = Settings(root=tmp_path, folder=tmp_path, search=tmp_path, file=SreYaml())
    inventory = discover(settings)
    (alert,) = inventory.rules
    unproven = {alert: NotSynthesised(alert, "none were found")}
    job = TimeJob(
        settings, inventory, RuleIndex(()), (alert,), (), (), False, lambda text: None, unproven=unproven
    )
    seen, _ = run.observe(job, stack, tmp_path / "engine")
    assert seen[alert] == TimedObservation(alert, reason="none were found")


def test_a_wrong_interval_is_told_with_the_users_own_file(stack: ProcessStack, tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, folder=tmp_path, search=tmp_path, file=SreYaml())
    config = PrometheusConfig("conf/prometheus.yml", {"evaluation_interval": "5x"})
    inventory = replace(discover(settings), prometheus=config)
    job = TimeJob(settings, inventory, RuleIndex(()), (), (), (), False, lambda text: None)
    with pytest.raises(StackError, match=r"conf/prometheus\.yml: Prometheus does not load (.|\n)*5x"):
        run.observe(job, stack, tmp_path / "engine")


def test_scenarios_do_not_disturb_each_other(stack: ProcessStack, file: RuleFile) -> None:
    together = asked(stack, file)
    for name in ("Burn", "Slow", "Kept"):
        alone = asked(stack, file, {name})
        assert alone == {key: passage for key, passage in together.items() if key[0] == name}


def test_the_workbooks_detection_table(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    import detection

    assert detection.run(pair.servers) == 0, capsys.readouterr().out
    assert "0 of 37 are off by more than one evaluation interval" in capsys.readouterr().out
