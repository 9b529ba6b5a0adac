"""Series that the queries in an alert's texts select, so that these render as they do in production."""

from __future__ import annotations

from dataclasses import replace

from pytest_sre.promql.printer import to_text
from pytest_sre.promql.queries import queries
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.burning import Burning
from pytest_sre.synthesis.element import EvalError, Unsupported
from pytest_sre.synthesis.entities import Entity
from pytest_sre.synthesis.evaluate import Evaluator
from pytest_sre.synthesis.search import Search, Terms, Trial
from pytest_sre.synthesis.shape import shape_of
from pytest_sre.synthesis.signals import Track

_BUDGET = 20_000


def answers(made: Burning, rules: RuleIndex, terms: Terms) -> list[list[Track]]:
    """More series for each query that has no result on an alert's own; never of metrics that the alert itself reads.

    A query for which none are found is left as it is.
    """
    every = made.entities
    found: list[Entity] = []
    for query in queries(made.shape.rule):
        try:
            evaluator = Evaluator(Trial([*every, *found]), rules, terms.now, terms.lookback)
            if any(not element.off for element in evaluator.vector(query)):
                continue
            shape = shape_of(replace(made.shape.rule, expr=to_text(query), labels={}), rules)
            groups = Search(shape, rules, replace(terms, real=None), _BUDGET).run() or []
        except (EvalError, Unsupported):
            continue
        known = {entity.name for entity in (*every, *found)}
        found += [entity for group in groups for entity in group if entity.name not in known]
    return [entity.tracks for entity in found if entity.option is not None]
