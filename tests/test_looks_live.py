"""Questions on virtual time: few looks give the answer that all evaluations give."""

from __future__ import annotations

from dataclasses import replace

from pytest_sre.model.finding import Location
from pytest_sre.model.slo import Slo
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.promql.selector import selector
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.stack.process import ProcessStack
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.synthesis.slo import at_ratio
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import Engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.question import Asker, Question
from pytest_sre.timemachine.schedule import Schedule

LOOKBACK = 300.0
MINUTES = (13, 40, 76, 77, 78)
RULES = """
groups:
  - name: records
    rules:
      - record: shop:errors:ratio_rate2h
        expr: sum(rate(requests_total{job="shop",code="500"}[2h])) / sum(rate(requests_total{job="shop"}[2h]))
  - name: alerts
    rules:
      - alert: Burns
        expr: shop:errors:ratio_rate2h > 3 * 0.001
        for: 15m
"""
SHOP = Slo(
    "shop", 99.9, 30 * 86400.0,
    selector('requests_total{job="shop",code="500"}'), None, selector('requests_total{job="shop"}'),
    Location("sre.yaml", 1),
)  # fmt: skip


def test_few_looks_give_what_all_evaluations_give(engine: Engine, stack: ProcessStack) -> None:
    file = parse_rule_file("shop.yml", RULES)
    (record, alert) = (rule for group in file.groups for rule in group.rules)
    index = RuleIndex([record, alert])
    schedule = Schedule([file], {}, index)
    found = contrast(alert, index, types={}, now=1e9, lookback=LOOKBACK, serial="1")
    assert isinstance(found, Contrast)
    asker = Asker(schedule, LOOKBACK, 1e9)
    looks: list[Question] = []
    for minutes in MINUTES:
        ratio = 3 * 0.001 * 120 / minutes  # so that the window's errors reach the threshold then
        behaviours = at_ratio(found, SHOP, ratio, 0.0)
        assert behaviours is not None
        question = asker.at_ratio(alert, found, behaviours, SHOP, ratio)
        few = replace(question, burn=12 * 3600.0, recovery=6 * 3600.0, step=900.0)
        looks += [few, replace(few, plain=False, step=few.fine)]
        assert len(looks[-2].first_look(0.0).ticks) < len(looks[-1].first_look(0.0).ticks) / 3
    machine = Machine(engine, schedule, AlertLabels(stack), LOOKBACK)
    passages = ask(machine, looks, lambda done, of: None)
    for minutes, seen, exact in zip(MINUTES, passages[::2], passages[1::2], strict=True):
        assert seen is not None
        assert exact is not None
        assert exact.fired is not None
        assert abs(exact.fired - 60 * minutes - 15 * 60) <= 60
        assert (seen.pending, seen.fired, seen.ended) == (exact.pending, exact.fired, exact.ended)
