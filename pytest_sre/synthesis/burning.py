"""Data on which an alert fires: where several rules record one name, found with few of them and tried on all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_sre.model.scenario import Impossible, NotSynthesised
from pytest_sre.promql.parse import parse
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.batches import Pool
from pytest_sre.synthesis.element import Unsupported
from pytest_sre.synthesis.entities import Entity
from pytest_sre.synthesis.focus import CHOICES, focused
from pytest_sre.synthesis.moments import asks_a_date, asks_the_clock, moments
from pytest_sre.synthesis.never import KnownTypes, impossible
from pytest_sre.synthesis.search import BUDGET, Search, Terms
from pytest_sre.synthesis.shape import Shape, shape_of
from pytest_sre.synthesis.signals import Track


@dataclass(frozen=True, slots=True)
class Burning:
    """Entities on which an alert fires, replicas in one group; ``shape`` is the alert with the rules used to find them."""

    shape: Shape
    groups: list[list[Entity]]

    @property
    def entities(self) -> list[Entity]:
        """All entities, absent ones too."""
        return [entity for group in self.groups for entity in group]

    @property
    def things(self) -> list[list[Track]]:
        """The tracks of each entity that is there."""
        return [entity.tracks for entity in self.entities if entity.option is not None]


def burning(shape: Shape, rules: RuleIndex, terms: Terms) -> Burning | NotSynthesised | Impossible:
    """Search data on which an alert fires."""
    alert, real = shape.rule, terms.real
    author, written = rules.written(alert)
    facts = real.snapshots if real is not None else KnownTypes(terms.types)
    never = impossible(parse(author.expr), written, facts, author, terms.lookback)
    if never is not None:
        return Impossible(alert, never.reason, never.part, never.next_step)
    anyhow = replace(terms, real=None)
    if real is None or not real.knows(shape.raw):
        return _searched(shape, rules, anyhow)
    found = _searched(shape, rules, terms)
    if isinstance(found, Burning):
        return found
    free = _searched(shape, rules, anyhow)
    if not isinstance(free, Burning):
        return free
    # With labels as one likes it fires: those of the real series are to blame.
    lacking = real.lacking(shape) or "matched, joined or grouped by their own labels it has no result"
    whole = all(real.knows([name]) for name in shape.raw)
    reason = f"no series like those of the snapshots fire it: {lacking}"
    return NotSynthesised(alert, reason, alert.expr, lacking if whole else "")


def sometime(
    shape: Shape, rules: RuleIndex, terms: Terms
) -> tuple[Burning | NotSynthesised | Impossible, float]:
    """As `burning`, but where an alert asks for the hour or the weekday at whatever time of the week fires it.

    Also that moment (seconds since the epoch); 0 where one is as good as another.
    """
    if not asks_the_clock(shape):
        return burning(shape, rules, terms), 0.0
    if asks_a_date(shape):
        return NotSynthesised(
            shape.rule, "what asks for a date, other than of a series, is not supported yet"
        ), 0.0
    failed: NotSynthesised | Impossible | None = None
    for moment in moments(shape, rules, terms.now):
        found = burning(shape, rules, replace(terms, now=moment))
        if not isinstance(found, NotSynthesised):
            return found, moment
        failed = failed or found
    return failed or NotSynthesised(shape.rule, "no series found that fire it", shape.rule.expr), 0.0


def _searched(shape: Shape, rules: RuleIndex, terms: Terms) -> Burning | NotSynthesised:
    alert = shape.rule
    narrow = [(shape_of(alert, some), some, BUDGET // 5) for some in focused(alert, rules)]
    failed: NotSynthesised | None = None
    doubtful: Burning | None = None
    whole = [] if len(narrow) == CHOICES else [(shape, rules, BUDGET)]
    for task, some, budget in [*narrow, *whole]:
        try:
            groups = Search(task, some, terms, budget).run()
        except Unsupported as error:
            failed = failed or NotSynthesised(alert, error.reason, error.part)
            continue
        if groups is not None:
            found = Burning(task, groups)
            if not narrow or _alone(shape, found.things, Pool(rules, terms.now, terms.lookback)):
                return found
            doubtful = found if some is rules else doubtful
    return doubtful or failed or NotSynthesised(alert, "no series found that fire it", alert.expr)


def _alone(shape: Shape, things: list[list[Track]], pool: Pool) -> bool:
    """Whether series made with one rule for each name fire the alert when all rules write."""
    pool.put(things)
    return pool.surely_fires(shape)
