"""A Prometheus for virtual time: no rules, no targets; series are written at any time since 1970 and read at once."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import requests

from pytest_sre.errors import StackError
from pytest_sre.model.samples import ShownHistogram, Value
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Row, Stretch
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources import yamlfile
from pytest_sre.stack import prometheus, remote_write
from pytest_sre.stack.backend import Server, Stack, answering
from pytest_sre.timemachine.rebuilt import rebuilt

MAX_POINTS = 11_000
"""Prometheus refuses range queries of more steps."""
# A server whose newest sample is old compacts every two hours of the gap in the background.
_ANCHOR: Labels = (("__name__", "pytest_sre_anchor"),)


# These mean the ends of a range query, but the moment itself where a rule is evaluated.
_ENDS = re.compile(r"@\s*(?:start|end)\s*\(")


class QueryError(Exception):
    """The engine refuses a query; the text is its own."""


class _NoQuery(QueryError):
    """It would be refused at any time."""


_Points = dict[Labels, tuple[list[float], list[Any]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a range query gave; ``errors`` has the steps (seconds since the epoch) that failed, with the engine's words.

    ``histograms`` are rows of native ones: their values are `Histogram`.
    """

    rows: tuple[Row, ...]
    errors: Mapping[float, str] = field(default_factory=dict)
    histograms: tuple[Row, ...] = ()


@contextlib.contextmanager
def open_engine(
    stack: Stack,
    settings: PrometheusServer,
    folder: Path,
    name: str,
    globals_: Mapping[str, Any] | None = None,
    *,
    anchored: bool = True,
    any_time: bool = False,
) -> Iterator[Engine]:
    """An engine that ends with the block. ``globals_`` are prometheus.yml's; raises StackError.

    Before Prometheus 3.0 native histograms older than what is there are refused: then nothing may be ``anchored`` now,
    or with ``any_time`` each series must come in order.
    """
    folder.mkdir()
    kept = {key: value for key, value in (globals_ or {}).items() if key == "evaluation_interval"}
    document = {"global": kept, "storage": {"tsdb": {"out_of_order_time_window": "36500d"}}}
    (folder / "prometheus.yml").write_text(yamlfile.dump(document)[0], "utf-8")
    server = prometheus.start(stack, settings, folder, name, any_time=any_time)
    try:
        engine = Engine(stack, server)
        if anchored:
            engine.write([(_ANCHOR, [(float(int(time.time())), 1.0)])])
        yield engine
    finally:
        stack.stop(server)


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """Writes and queries; may be used by several threads. All times are seconds since the epoch."""

    stack: Stack
    server: Server
    _local: threading.local = field(default_factory=threading.local)

    def write(self, series: Iterable[tuple[Labels, Iterable[tuple[float, Value]]]]) -> None:
        """Add samples, in any order, also between those that are there; raises StackError."""
        with answering(self.server):
            remote_write.write(self._client, self.server.url, series)

    def range(self, query: str, stretch: Stretch) -> Answer:
        """All steps of a stretch. A step that the engine refuses costs no other: it is told in `Answer.errors`."""
        rows: _Points = {}
        histograms: _Points = {}
        errors: dict[float, str] = {}
        for part in _parts(stretch, 1 if _ENDS.search(query) else MAX_POINTS):
            self._range(query, part, rows, histograms, errors)
        ticks = stretch.ticks  # shared by all rows that have every step
        found = [
            Row(labels, ticks if len(times) == len(ticks) else tuple(map(float, times)), tuple(values))
            for labels, (times, values) in rows.items()
        ]
        shown = [Row(labels, tuple(times), tuple(values)) for labels, (times, values) in histograms.items()]
        return Answer(tuple(found), errors, tuple(shown))

    def _range(
        self,
        query: str,
        part: Stretch,
        rows: _Points,
        histograms: _Points,
        errors: dict[float, str],
    ) -> None:
        wanted = {
            "query": query,
            "start": f"{part.start:.3f}",
            "end": f"{part.end:.3f}",
            "step": f"{part.step}",
        }
        try:
            result = self._ask("query_range", wanted)["result"]
        except QueryError as error:
            ticks = part.ticks
            if len(ticks) == 1 or isinstance(error, _NoQuery):
                errors.update(dict.fromkeys(ticks, str(error)))
                return
            for half in _parts(part, (len(ticks) + 1) // 2):
                self._range(query, half, rows, histograms, errors)
            return
        for one in result:
            if points := one.get("values"):  # a series may have native histograms alone
                times, values = rows.setdefault(_labels(one["metric"]), ([], []))
                moments, texts = zip(*points, strict=True)
                times += [round(float(at), 3) for at in moments]
                values += map(float, texts)
            if shown := one.get("histograms"):
                times, values = histograms.setdefault(_labels(one["metric"]), ([], []))
                times += [round(float(at), 3) for at, _ in shown]
                values += [rebuilt(_histogram(each)) for _, each in shown]

    def instant(self, query: str, at: float) -> list[tuple[Labels, float]]:
        """The numbers in the vector at a moment (a scalar is one without labels). Raises QueryError, StackError."""
        return [(labels, value) for labels, value in self.vector(query, at) if isinstance(value, float)]

    def vector(self, query: str, at: float) -> list[tuple[Labels, float | ShownHistogram]]:
        """As `instant`, with native histograms."""
        data = self._ask("query", {"query": query, "time": f"{at:.3f}"})
        if data["resultType"] == "scalar":
            return [((), float(data["result"][1]))]
        if data["resultType"] != "vector":
            raise QueryError(f"the expression is a {data['resultType']}, not a vector")
        return [
            (
                _labels(one["metric"]),
                float(one["value"][1]) if "value" in one else _histogram(one["histogram"][1]),
            )
            for one in data["result"]
        ]

    def _ask(self, what: str, wanted: Mapping[str, str]) -> Any:
        # Asked thousands of times: prepared once, and not compressed, which costs Prometheus more than the answer.
        request = _prepared(f"{self.server.url}/api/v1/{what}").copy()
        request.prepare_body(wanted, None)
        with answering(self.server):
            answer = self._client.send(request, timeout=300)
            body = json.loads(answer.content)
        if body.get("status") != "success":
            if answer.status_code in (400, 422):
                refused = _NoQuery if answer.status_code == 400 else QueryError
                raise refused(str(body.get("error")))
            if body.get("errorType") == "timeout":  # of this query: asked for fewer steps it takes as long
                raise _NoQuery(str(body.get("error")))
            raise StackError(f"{self.server.name} cannot answer: {answer.status_code} {body.get('error')}")
        return body["data"]

    @property
    def _client(self) -> requests.Session:
        if not hasattr(self._local, "client"):
            self._local.client = self.stack.session()
        client: requests.Session = self._local.client
        return client


@lru_cache
def _prepared(url: str) -> requests.PreparedRequest:
    return requests.Request("POST", url, headers={"Accept-Encoding": "identity"}).prepare()


def _labels(metric: Mapping[str, str]) -> Labels:
    return tuple(sorted(metric.items()))


def _histogram(shown: Mapping[str, Any]) -> ShownHistogram:
    buckets = tuple(
        (float(low), float(high), float(count)) for _, low, high, count in shown.get("buckets", ())
    )
    return ShownHistogram(float(shown["count"]), float(shown["sum"]), buckets)


def _parts(stretch: Stretch, points: int) -> Iterator[Stretch]:
    """The stretch in pieces of at most so many steps."""
    ticks = stretch.ticks
    for first in range(0, len(ticks), points):
        last = min(first + points, len(ticks)) - 1
        yield Stretch(ticks[first], ticks[last], stretch.step)
