"""Two sides → which alerts and files mean something else, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_sre.changed.facts import Key, Reason, canonical, differences
from pytest_sre.changed.incidents import changed_incidents, other_uses
from pytest_sre.changed.meaning import Meanings
from pytest_sre.changed.pairing import Pairs, pair
from pytest_sre.changed.rules import Rules
from pytest_sre.changed.side import Side
from pytest_sre.changed.units import changed_units
from pytest_sre.model.rules import Rule
from pytest_sre.sources.discover import Inventory


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What a change means for the alerts of one scope; keys are rules of the new side, unless said otherwise.

    ``reasons`` holds the selected alerts only. ``previous`` gives the old rule of every alert that had one, ``moved``
    that of alerts whose file or group is another one, ``renamed`` the old name; ``removed`` are rules of the old side.
    ``files`` are paths, as shown, of rule files and Alertmanager configurations whose `loads` may differ now, and of
    files of unit tests. ``slos`` are names of SLOs of which the policy may be kept in another way, ``incidents`` those
    of incidents that may notify otherwise. ``coverage`` is whether the alerts may use other parts of Alertmanager's
    configuration, or that is another one. ``unreadable`` are remarks on the base: what could not be read in it counts
    as changed.
    """

    reasons: Mapping[Rule, tuple[Reason, ...]] = field(default_factory=dict)
    previous: Mapping[Rule, Rule] = field(default_factory=dict)
    new: tuple[Rule, ...] = ()
    removed: tuple[Rule, ...] = ()
    moved: Mapping[Rule, Rule] = field(default_factory=dict)
    renamed: Mapping[Rule, str] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    slos: frozenset[str] = frozenset()
    incidents: frozenset[str] = frozenset()
    coverage: bool = False
    unreadable: tuple[str, ...] = ()


def compare(old: Side, new: Side) -> Comparison:
    """Compare two sides of one scope. Reads templates and pages of both; raises nothing."""
    before, after = Meanings(old), Meanings(new)
    pairs = pair(before.rules, after.rules)
    broken = {file.path for file in new.inventory.broken}
    reasons = dict(_reasons(old, before, new, after, pairs))
    files = frozenset(_files(old, before, new, after))
    routing = new.inventory.routing
    return Comparison(
        reasons=reasons,
        previous=pairs.previous,
        new=() if old.unreadable else pairs.new,
        # What stands in a file that can't be read now isn't gone; the file is the finding.
        removed=tuple(rule for rule in pairs.gone if rule.location.path not in broken),
        moved={rule: was for rule, was in pairs.previous.items() if _place(rule) != _place(was)},
        renamed={rule: was.name for rule, was in pairs.previous.items() if rule.name != was.name},
        files=files,
        slos=frozenset(_slos(old, before, after, reasons, pairs)),
        incidents=frozenset(changed_incidents(old, before, new, after)),
        coverage=routing is not None and (routing.path in files or other_uses(old, before, new, after)),
        unreadable=tuple(_unreadable(old)),
    )


def _slos(
    old: Side, before: Meanings, after: Meanings, selected: Iterable[Rule], pairs: Pairs
) -> Iterator[str]:
    """SLOs of which something else is asked, or whose alerts changed or went."""
    touched = frozenset().union(*(after.about(rule) for rule in selected))
    touched |= frozenset().union(*(before.about(rule) for rule in pairs.gone))
    for name, asked in after.asked.items():
        if old.unreadable or name in touched or before.asked.get(name) != asked:
            yield name


def _place(rule: Rule) -> tuple[str, str]:
    return rule.location.path, rule.group


def _reasons(
    old: Side, before: Meanings, new: Side, after: Meanings, pairs: Pairs
) -> Iterator[tuple[Rule, tuple[Reason, ...]]]:
    general = [
        Reason("base", text) for text in ([old.unreadable] if old.unreadable else _lost_routing(old, new))
    ]
    broken = {file.path: f"{file.path} could not be read in the base" for file in old.inventory.broken}
    for file in new.inventory.rule_files:
        for rule in file.alerts:
            found = list(general)
            was = pairs.previous.get(rule)
            if was is not None:
                found += [Reason("renamed", f"renamed from {was.name}")] if was.name != rule.name else []
                found += _without_echo(list(differences(before.facts(was), after.facts(rule))))
            elif file.path in broken:
                found.append(Reason("base", broken[file.path]))
            elif not old.unreadable:
                found.append(Reason("new", "new"))
            if found:
                yield rule, tuple(dict.fromkeys(found))


def _lost_routing(old: Side, new: Side) -> list[str]:
    """A configuration that can't be read on one side makes the routes of all alerts differ: said once."""
    wanted = [side.inventory.routing.path for side in (old, new) if side.inventory.routing]
    lost = _unread_routing(old.inventory)
    return [f"{lost} could not be read in the base"] if lost and wanted else []


def _unread_routing(inventory: Inventory) -> str:
    if inventory.routing:
        return ""
    named = (file.path for file in inventory.broken if "alertmanager" in file.path.rpartition("/")[2].lower())
    return next(named, "")


def _without_echo(reasons: list[Reason]) -> list[Reason]:
    """The order of routes is news only where the routes themselves are the same; what labels say, where they are."""
    echoes = {"route": "order", "rule": "severity"}
    known = {echoes.get(reason.aspect) for reason in reasons}
    return [reason for reason in reasons if reason.aspect not in known]


def _unreadable(old: Side) -> Iterator[str]:
    if old.unreadable:
        yield old.unreadable
    for file in old.inventory.broken:
        yield f"{file.path}:{file.line} could not be read in the base: {file.reason}"


def _files(old: Side, before: Meanings, new: Side, after: Meanings) -> Iterator[str]:
    was_broken = {file.path for file in old.inventory.broken}
    yield from (file.path for file in new.inventory.broken)
    everything = bool(old.unreadable) or _servers(before) != _servers(after)
    known = _contents(old, before.rules)
    elsewhere = set(known.values())
    contents = _contents(new, after.rules)
    for path, content in contents.items():
        same = known[path] == content if path in known else content in elsewhere
        if everything or path in was_broken or not same:
            yield path
    every = (unit.path for unit in new.inventory.unit_files)
    yield from every if everything else changed_units(old, known, new, contents)
    routing = new.inventory.routing
    if routing and (
        everything or routing.path in was_broken or _routing(before, old) != _routing(after, new)
    ):
        yield routing.path


def _servers(meanings: Meanings) -> dict[Key, str]:
    return {key: fact.value for key, fact in meanings.common.items() if key.aspect == "settings"}


def _contents(side: Side, rules: Rules) -> dict[str, str]:
    """What each rule file says, whatever the order of its groups and rules."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in side.inventory.rule_files:
        for group in file.groups:
            said = sorted(canonical([rule.kind, rule.name, rules.content(rule)]) for rule in group.rules)
            found[file.path].append(canonical([group.part, group.name, said]))
    return {path: canonical(sorted(groups)) for path, groups in found.items()}


def _routing(meanings: Meanings, side: Side) -> tuple[str, ...]:
    if side.inventory.routing is None or meanings.routes is None:
        return ()
    texts = meanings.routes.receivers.template_facts
    written = canonical(side.inventory.routing.document)
    return (
        written,
        *(
            text
            for key, fact in sorted(texts.items(), key=lambda item: item[0].name)
            for text in (key.name, fact.value)
        ),
    )
