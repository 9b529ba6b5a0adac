"""Labels and annotations of alerts, rendered by Prometheus' own template engine: promtool prints them.

For each request a generated unit test holds one series and one rule; expecting nothing, it fails, and promtool
shows what it got. Within templates, ``query`` finds that one sample and ``others``, at the time ``at``; the functions
``externalURL`` and ``pathPrefix`` have no URL in promtool and render as an error (``$externalURL`` works).
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pytest_sre.errors import StackError
from pytest_sre.model.samples import Histogram, Value
from pytest_sre.model.scenario import Labels
from pytest_sre.sources import histograms, notation, yamlfile
from pytest_sre.stack.backend import Stack

_FILES_AT_ONCE = 200
_RULES_A_FILE = 2_000
# What looks at other data than the sample, or at the clock, gets a test of its own.
_ALONE = re.compile(r"\b(query|now)\b")
_ALERT = re.compile(r"\s*alertname: sre_(\d+), time: ")
_BAD_RULE = re.compile(r'rule \d+, "sre_(\d+)": (.*)')
_SET = re.compile(r"\s*(Labels|Annotations):(\{.*\})\s*")
_PAIR = re.compile(r'\s*([a-zA-Z_]\w*|"(?:[^"\\]|\\.)*")="((?:[^"\\]|\\.)*)",?')


@dataclass(frozen=True, slots=True)
class Request:
    """One alert to render: the rule's templates, the sample's labels (with ``__name__`` where it has one) and value.

    ``name`` is the alert's; ``at`` is the time of evaluation in seconds since the epoch, ``others`` are further
    samples of that time.
    """

    labels: Labels
    annotations: Labels
    sample: Labels
    value: Value
    name: str = ""
    external_labels: Labels = ()
    external_url: str = ""
    at: float = 0.0
    others: tuple[tuple[Labels, Value], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether no text has a template."""
        return not any("{{" in text for _, text in (*self.labels, *self.annotations))

    @property
    def is_alone(self) -> bool:
        """Whether a template reads more than the sample."""
        return any(_ALONE.search(text) for _, text in (*self.labels, *self.annotations) if "{{" in text)


@dataclass(frozen=True, slots=True)
class Rendered:
    """An alert's labels, with ``alertname`` and those of its sample, and its annotations.

    ``error`` says why Prometheus doesn't load the templates at all; the other two are empty then.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    error: str = ""


def render(stack: Stack, requests: Iterable[Request]) -> list[Rendered]:
    """Render requests, in their order; equal ones once, those without templates without promtool.

    Raises StackError when promtool can't run or answers what is not understood.
    """
    asked = [(_key(one), one) for one in requests]
    todo = {key: one for key, one in asked if not one.is_plain}
    done = {key: _finished(one, one.sample, one.annotations) for key, one in asked if one.is_plain}
    while todo:
        keys = list(todo)
        with tempfile.TemporaryDirectory(prefix="templates-", dir=stack.folder) as folder:
            found = _run(stack, dict(enumerate(todo.values())), Path(folder))
        for number, one in found.items():
            done[keys[number]] = one
            del todo[keys[number]]
    return [done[key] for key, _ in asked]


def _key(one: Request) -> object:
    # A NaN isn't equal to itself.
    at, others = (one.at, repr(one.others)) if one.is_alone else (0.0, "")
    return replace(one, value=0.0, at=at, others=()), repr(one.value), others


def _finished(
    one: Request, labels: Iterable[tuple[str, str]], annotations: Iterable[tuple[str, str]]
) -> Rendered:
    """An alert's labels are those of the sample but its name, then the rule's; an empty one is none."""
    mine = one.labels if one.is_plain else ()
    all_ = {**dict(labels), **dict(mine), "__name__": "", "alertname": one.name}
    return Rendered({name: text for name, text in sorted(all_.items()) if text}, dict(annotations))


def _run(stack: Stack, numbered: Mapping[int, Request], folder: Path) -> dict[int, Rendered]:
    """One go: all that loads is rendered; of a file with a rule that doesn't, only that rule is answered."""
    files = [_write(folder, i, batch) for i, batch in enumerate(_batches(numbered))]
    found: dict[int, Rendered] = {}
    told = ""
    for start in range(0, len(files), _FILES_AT_ONCE):
        some = files[start : start + _FILES_AT_ONCE]
        reads = [path for path in some for path in (path, path.with_suffix(".rules"))]
        told = stack.promtool(["test", "rules", *map(str, some)], reads).stderr
        found.update(_parsed(told, numbered))
    if not found:
        raise StackError(f"promtool did not render templates:\n{told.strip()[-2000:]}")
    return found


def _batches(numbered: Mapping[int, Request]) -> Iterator[dict[int, Request]]:
    """Requests that share a test: those of the same external labels and URL that read nothing but their sample."""
    shared: dict[object, dict[int, Request]] = {}
    for number, one in numbered.items():
        if one.is_alone:
            yield {number: one}
        else:
            shared.setdefault((one.external_labels, one.external_url), {})[number] = one
    for batch in shared.values():
        rest = iter(batch.items())
        while some := dict(islice(rest, _RULES_A_FILE)):
            yield some


def _write(folder: Path, index: int, batch: Mapping[int, Request]) -> Path:
    """The file of a test, and beside it that of its rules."""
    path = folder / f"{index}.yml"
    some = next(iter(batch.values()))
    at = some.at if some.is_alone else 0.0
    interval = f"{round(at * 1000)}ms" if at else "1m"
    rules, own = zip(*(_rule(number, one, at) for number, one in batch.items()), strict=True)
    stored = {one["series"] for one in own}
    others = some.others if some.is_alone else ()
    series = [*own, *(one for other in others if (one := _series(*other, at))["series"] not in stored)]
    test = {
        "interval": interval,
        "input_series": series,
        "external_labels": dict(some.external_labels),
        "external_url": some.external_url,
        "alert_rule_test": [
            {"alertname": f"sre_{number}", "eval_time": interval if at else "0s", "exp_alerts": []}
            for number in batch
        ],
    }
    _dump(path, {"rule_files": [path.stem + ".rules"], "evaluation_interval": interval, "tests": [test]})
    _dump(path.with_suffix(".rules"), {"groups": [{"name": "sre", "rules": rules}]})
    return path


def _dump(path: Path, value: object) -> None:
    path.write_text(yamlfile.dump(value)[0], "utf-8")


def _rule(number: int, one: Request, at: float) -> tuple[dict[str, object], dict[str, str]]:
    """A rule whose expression gives exactly the sample, and the series that it reads."""
    labels = dict(one.sample)
    own = labels.pop("__name__", "")
    stored, expr = f"sre_{number}", f"sre_{number} * 1"
    if own and one.is_alone:
        stored, expr = own, f"{{__name__={notation.quote(own)}}}"
    elif own:
        # Many requests may have the same series: each is stored under a name of its own.
        name = notation.quote(own.replace("$", "$$"))
        expr = f'label_replace(sre_{number}, "__name__", {name}, "", "")'
    rule: dict[str, object] = {
        "alert": f"sre_{number}",
        "expr": expr,
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
    }
    return rule, _series(tuple(sorted({**labels, "__name__": stored}.items())), one.value, at)


def _series(labels: Labels, value: Value, at: float) -> dict[str, str]:
    return {"series": notation.write_series(labels), "values": ("_ " if at else "") + _written(value)}


def _written(value: Value) -> str:
    if isinstance(value, Histogram):
        return histograms.write(value)
    return (
        repr(float(value)) if math.isfinite(value) else {"inf": "Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    )


def _parsed(told: str, numbered: Mapping[int, Request]) -> dict[int, Rendered]:
    """What promtool says it got, and which rules it did not load."""
    found: dict[int, Rendered] = {}
    number, labels = -1, dict[str, str]()
    for line in told.split("\n"):
        if alert := _ALERT.match(line):
            number = int(alert[1])
        elif part := _SET.fullmatch(line):
            texts = _texts(part[2], f"__alert_sre_{number}", f"__alert_{numbered[number].name}")
            if part[1] == "Labels":
                labels = texts
            else:
                found[number] = _finished(numbered[number], labels.items(), texts.items())
        elif bad := _BAD_RULE.search(line):
            number = int(bad[1])
            error = bad[2].replace(f"__alert_sre_{number}:", f"__alert_{numbered[number].name}:")
            found[number] = Rendered({}, {}, error)
    return found


def _texts(line: str, ours: str, theirs: str) -> dict[str, str]:
    """A label set as Go prints it; the rule's own name is put back into errors of templates."""
    return {
        name: text.replace(ours, theirs) if "<error expanding template" in text else text
        for name, text in go_labels(line).items()
    }


def go_labels(line: str) -> dict[str, str]:
    """A label set as Go prints it, ``{a="1", "b.c"="2"}``; raises StackError."""
    found: dict[str, str] = {}
    at = 1
    while at < len(line) - 1:
        pair = _PAIR.match(line, at)
        if not pair:
            raise StackError(f"promtool's answer is not understood at {line[at : at + 200]}")
        name = notation.unescape(pair[1][1:-1]) if pair[1][0] == '"' else pair[1]
        found[name] = notation.unescape(pair[2])
        at = pair.end()
    return found
