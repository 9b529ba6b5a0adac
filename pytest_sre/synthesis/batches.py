"""Series that live together in one Prometheus, found by label, and the alerts that look at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pytest_sre.model.routing import Matcher
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.alerting import fires
from pytest_sre.synthesis.element import EvalError, Unsupported, Vector
from pytest_sre.synthesis.evaluate import Evaluator
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Track

MOMENTS = (0.0, 7.0, 45.0)
"""When data that were not made for an alert must fire it: a sum close to a threshold comes and goes."""
Key = tuple[str, str, str]
LabelSet = tuple[tuple[str, str], ...]


class Pool:
    """The series of one batch. Looked up by the rarest label, so that cost does not grow with the batch."""

    def __init__(self, rules: RuleIndex, now: float, lookback: float) -> None:
        """``now`` is the start of the run in seconds since the epoch."""
        self.rules, self.now, self.lookback = rules, now, lookback
        self.tracks: dict[LabelSet, Track] = {}
        self.family: dict[Track, list[Track]] = {}
        self.alerts: list[Shape] = []
        self._by_name: dict[str, dict[Track, None]] = defaultdict(dict)
        self._by_label: dict[Key, dict[Track, None]] = defaultdict(dict)
        self._watchers: dict[Key, list[tuple[VectorSelector, Shape]]] = defaultdict(list)

    def select(self, selector: VectorSelector) -> list[Track]:
        """The tracks that a selector matches."""
        if not selector.name:
            pool: Iterable[Track] = self.tracks.values()
        else:
            pool = self._by_name.get(selector.name, {})
            for key in _keys(selector):
                found = self._by_label.get(key, {})
                if len(found) < len(pool):
                    pool = found
        return [track for track in pool if _matches(selector.matchers, track)]

    def put(self, things: list[list[Track]]) -> list[Track]:
        """Add series, those of one thing together; what was new. Labels must be new to the pool."""
        for tracks in things:
            for track in tracks:
                self.tracks[labels_key(track)] = track
                self.family[track] = tracks
                self._by_name[track.name][track] = None
                for label, value in track.labels.items():
                    self._by_label[track.name, label, value][track] = None
        return [track for tracks in things for track in tracks]

    def take(self, tracks: Iterable[Track]) -> None:
        """Remove series again."""
        for track in tracks:
            self.tracks.pop(labels_key(track), None)
            self.family.pop(track, None)
            self._by_name[track.name].pop(track, None)
            for label, value in track.labels.items():
                self._by_label[track.name, label, value].pop(track, None)

    def watch(self, shape: Shape) -> None:
        """From now on this alert must keep firing here."""
        self.alerts.append(shape)
        for name, selectors in shape.raw.items():
            for selector in selectors:
                keys = _keys(selector) or [(selector.name and name, "", "")]
                rarest = min(keys, key=lambda key: len(self._watchers.get(key, ())))
                self._watchers[rarest].append((selector, shape))

    def watching(self, tracks: Iterable[Track]) -> list[Shape]:
        """The alerts that some of these series reach."""
        found: dict[int, Shape] = {}
        for track in tracks:
            pairs = [(track.name, label, value) for label, value in track.labels.items()]
            for key in [*pairs, (track.name, "", ""), ("", "", "")]:
                for selector, shape in self._watchers.get(key, ()):
                    if id(shape) not in found and _matches(selector.matchers, track):
                        found[id(shape)] = shape
        return list(found.values())

    def evaluate(self, shape: Shape) -> Vector:
        """What an alert sees on everything here at the start of the run."""
        return _vector(self._evaluator(), shape, 0.0)

    def fires(self, shape: Shape, moments: tuple[float, ...] = MOMENTS) -> bool:
        """Whether an alert fires on everything here, at these times (seconds into the run)."""
        evaluator = self._evaluator()  # what rules recorded in the past is the same for all moments
        return all(fires(_vector(evaluator, shape, moment), shape.rule) for moment in moments)

    def surely_fires(self, shape: Shape) -> bool:
        """Whether an alert fires on everything here, whichever of the rules that record one series comes last."""
        evaluator = self._evaluator()
        evaluator.last_wins = True
        return self.fires(shape) and fires(_vector(evaluator, shape, 0.0), shape.rule)

    def _evaluator(self) -> Evaluator:
        return Evaluator(self, self.rules, self.now, self.lookback)

    def matched(self, shape: Shape) -> list[Track]:
        """The series that an alert reads."""
        found = [
            track for group in shape.raw.values() for selector in group for track in self.select(selector)
        ]
        return list(dict.fromkeys(found))


def _vector(evaluator: Evaluator, shape: Shape, moment: float) -> Vector:
    """What an alert sees at a moment; nothing where Prometheus would report an error."""
    evaluator.moment = moment
    try:
        return evaluator.vector(shape.expr)
    except (EvalError, Unsupported):
        return []


def labels_key(track: Track) -> LabelSet:
    """A track's labels as a key."""
    return tuple(sorted(track.labels.items()))


def _keys(selector: VectorSelector) -> list[Key]:
    if not selector.name:
        return []
    return [(selector.name, m.label, m.value) for m in selector.matchers if m.op == "=" and m.value]


def _matches(matchers: tuple[Matcher, ...], track: Track) -> bool:
    labels = track.labels
    return all(matcher.matches(labels) for matcher in matchers)
