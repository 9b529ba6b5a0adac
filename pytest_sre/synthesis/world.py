"""A value for every label, such that series satisfy an alert's selectors and can be joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_sre.model.routing import Matcher
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.links import Join, Link
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.shape import Shape, label_matchers

_COMMON = {"code": "200", "status_code": "200", "response_code": "200", "method": "GET"}
_NAMELESS = ("__name__", "le")


class World:
    """A value for every label of an alert, such that series can be joined."""

    def __init__(self, shape: Shape, serial: str, real: Exposed | None = None) -> None:
        """``serial`` makes the values of free labels this alert's own; ``real`` are the metrics of snapshots."""
        self.serial, self.real, self._shape = serial, real, shape
        self.constraints = label_matchers(shape)
        self.defaults = {label: self._default(label, groups) for label, groups in self.constraints.items()}
        self.links = shape.links
        for link in self.links:
            if isinstance(link, Link):
                self._link(link)
            elif link.target not in self.constraints:
                self.defaults[link.target] = link.separator.join(map(self.free, link.sources))

    def _link(self, link: Link) -> None:
        """Choose the source so that the target gets the value that others have, or that value so that there is one."""
        source, target = link.source, link.target
        if link.constant or not source:
            if target not in self.constraints:
                self.defaults[target] = link.template
            return
        groups = self.constraints.get(source, [])
        for value in link.backward(self.free(target)):
            if all(fits(value, group) for group in groups):
                self.defaults[source] = value
                return
        for value in [self.free(source), *self._values(source, groups), *examples(link.pattern, 12)]:
            made = link.forward(value)
            if (
                not made
                or not all(fits(value, group) for group in groups)
                or (source == target and made != value)
            ):
                continue
            if all(fits(made, group) for group in self.constraints.get(target, [])):
                self.defaults[source], self.defaults[target] = value, made
                return

    def linked(self, label: str, value: str) -> dict[str, str]:
        """A label with a value, and the labels from which it is made or that are made from it."""
        found = {label: value}
        for _ in range(2):
            for link in self.links:
                if isinstance(link, Join):
                    if found.keys() & set(link.sources):
                        parts = [found.get(source, self.free(source)) for source in link.sources]
                        found.setdefault(link.target, link.separator.join(parts))
                elif link.target in found and link.source not in found:
                    groups = self.constraints.get(link.source, [])
                    fitting = (
                        v for v in link.backward(found[link.target]) if all(fits(v, g) for g in groups)
                    )
                    if (made := next(fitting, None)) is not None:
                        found[link.source] = made
                elif link.source in found and (forward := link.forward(found[link.source])):
                    found.setdefault(link.target, forward)
        return found

    def others(self, labels: dict[str, str], label: str, count: int) -> list[dict[str, str]]:
        """Up to ``count`` copies of a label set, the first as it is, that differ in a label and in what is made from it."""
        groups = self.constraints.get(label, [])
        seen = {self._outcome(label, labels.get(label, ""))}
        found = [labels]
        for value in self._more(labels, label, groups, count):
            outcome = self._outcome(label, value)
            if value and outcome not in seen and all(fits(value, group) for group in groups):
                seen.add(outcome)
                linked = {key: text for key, text in self.linked(label, value).items() if key in labels}
                found.append({**labels, **linked, label: value})
                if len(found) >= count:
                    break
        return found

    def _outcome(self, label: str, value: str) -> tuple[str | None, ...]:
        """What a value of a label, and what is made from it, is told apart by."""
        made = [link.forward(value) for link in self.links if isinstance(link, Link) and link.source == label]
        return tuple(made) or (value,)

    def _more(
        self, labels: dict[str, str], label: str, groups: Iterable[tuple[Matcher, ...]], count: int
    ) -> Iterator[str]:
        own, base = self.own(label), labels.get(label, "")
        targets = [link for link in self.links if isinstance(link, Link) and link.source == label]
        for i in range(1, count):
            yield f"{own}-{i}"
            for link in targets:
                yield from link.backward(f"{self.own(link.target)}-{i}")
            yield f"{base}{i}"
        for group in groups:
            for matcher in group:
                if matcher.op == "=~":
                    yield from examples(matcher.value, 24)
        for link in targets:
            yield from examples(link.pattern, 24)

    def own(self, label: str) -> str:
        """A value that only this alert uses."""
        return f"{label}-{self.serial}"

    def _default(self, label: str, groups: list[tuple[Matcher, ...]]) -> str:
        """The value that satisfies the most selectors; the alert's own where it satisfies all."""
        best, best_score = "", -1
        for value in self._values(label, groups):
            score = sum(fits(value, group) for group in groups)
            if score > best_score:
                best, best_score = value, score
        return best

    def _values(self, label: str, groups: Iterable[tuple[Matcher, ...]]) -> list[str]:
        real = list(self.real.values(self._shape, label)) if self.real else []
        found = [self.free_alone(label), *real, *([_COMMON[label]] if label in _COMMON else [])]
        for group in groups:
            for matcher in group:
                found += [matcher.value] if matcher.op in ("=", "!=") else examples(matcher.value)
        return [*dict.fromkeys(found), "other", ""]

    def free(self, label: str) -> str:
        """The value of a label that a selector does not constrain."""
        return self.defaults[label] if label in self.defaults else self.free_alone(label)

    def free_alone(self, label: str) -> str:
        """The value of a label of which no selector speaks: a real one, or one that only this alert uses."""
        return (self.real.free(self._shape, label) if self.real else "") or self.own(label)

    def satisfying(self, label: str, group: tuple[Matcher, ...]) -> str | None:
        """A value that satisfies a selector's matchers on a label, the shared default first."""
        values = [self.free(label), *self._values(label, [group])]
        return next((value for value in values if fits(value, group)), None)

    def violating(
        self, label: str, group: tuple[Matcher, ...], others: Iterable[tuple[Matcher, ...] | None]
    ) -> list[str]:
        """Values that do not satisfy a selector's matchers on a label, those that ``others`` ask for last."""
        preferred = [_COMMON[label]] if label in _COMMON else []
        values = [*preferred, *self._values(label, [group, *filter(None, others)])]
        return [value for value in values if value and not fits(value, group)]


def fits(value: str, group: tuple[Matcher, ...]) -> bool:
    """Whether a label's value satisfies matchers on it."""
    return all(matcher.matches({matcher.label: value}) for matcher in group)


def by_label(selector: VectorSelector) -> dict[str, tuple[Matcher, ...]]:
    """A selector's matchers by label, without name and ``le``."""
    found: dict[str, list[Matcher]] = {}
    for matcher in selector.matchers:
        if matcher.label not in _NAMELESS:
            found.setdefault(matcher.label, []).append(matcher)
    return {label: tuple(matchers) for label, matchers in found.items()}
