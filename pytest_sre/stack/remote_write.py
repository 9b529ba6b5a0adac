"""Prometheus' remote-write protocol, version 1.0: snappy-compressed protobuf.

Sources: https://prometheus.io/docs/specs/prw/remote_write_spec/, and for histograms Prometheus' prompb/types.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

import cramjam
import requests
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pytest_sre.errors import StackError
from pytest_sre.model.samples import RESET_HINTS, Buckets, Histogram, Value
from pytest_sre.model.scenario import Labels

# Prometheus refuses what is above 32 MiB uncompressed (from 3.5 on). A sample takes 19 to 24 bytes.
SAMPLES_PER_REQUEST = 200_000
BYTES_PER_REQUEST = 8 * 1024 * 1024
_AT_ONCE = 5_000
_FIELD = descriptor_pb2.FieldDescriptorProto


class Refused(StackError):
    """The server does not take these samples: it has others of the same series at the same time or later."""


def write_free(
    client: requests.Session, url: str, series: Sequence[tuple[Labels, Sequence[tuple[float, Value]]]]
) -> None:
    """As `write`, without the series that rules of the server write themselves at the same time: those stay theirs."""
    try:
        write(client, url, series)
    except Refused:
        half = len(series) // 2
        for some in (series[:half], series[half:]) if half else ():
            write_free(client, url, some)


def write(
    client: requests.Session, url: str, series: Iterable[tuple[Labels, Iterable[tuple[float, Value]]]]
) -> None:
    """Send series, each with samples of (seconds since the epoch, value), oldest first; raises StackError.

    A server takes histograms only with ``--enable-feature=native-histograms``; before 3.0 only in order (older than
    all else they are "out of bounds") and without ``custom_values``; 2.42 takes one with a count of 0 for one of whole
    numbers, and of a request all those before all others. From 3.0 on, series without a name are dropped
    in silence.
    """
    for request in _batches(series):
        answer = client.post(
            url + "/api/v1/write",
            data=bytes(cramjam.snappy.compress_raw(request.SerializeToString())),
            headers={
                "Content-Encoding": "snappy",
                "Content-Type": "application/x-protobuf",
                "X-Prometheus-Remote-Write-Version": "0.1.0",
            },
            timeout=60,
        )
        if not answer.ok:
            raise (Refused if answer.status_code == 400 else StackError)(
                f"Prometheus refused the series: {answer.status_code} {answer.text.strip()[:500]}"
            )


def _batches(series: Iterable[tuple[Labels, Iterable[tuple[float, Value]]]]) -> Iterator[Any]:
    """Requests of a bounded size; a long series goes into several."""
    request, samples, size = _REQUEST(), SAMPLES_PER_REQUEST, BYTES_PER_REQUEST
    for labels, values in series:
        rest = iter(values)
        while part := list(islice(rest, min(samples, _AT_ONCE))):
            for is_histogram, run in _runs(part):
                size -= _add(request.timeseries.add(), labels, is_histogram, run)
            samples -= len(part)
            if samples <= 0 or size <= 0:
                yield request
                request, samples, size = _REQUEST(), SAMPLES_PER_REQUEST, BYTES_PER_REQUEST
    if request.timeseries:
        yield request


def _runs(part: list[tuple[float, Value]]) -> Iterable[tuple[bool, Iterable[tuple[float, Value]]]]:
    """Numbers and histograms apart: of one entry Prometheus takes all numbers before all histograms."""
    if Histogram not in {type(value) for _, value in part}:
        return [(False, part)]
    return groupby(part, _is_histogram)


def _is_histogram(sample: tuple[float, Value]) -> bool:
    return isinstance(sample[1], Histogram)


def _add(one: Any, labels: Labels, is_histogram: bool, samples: Iterable[tuple[float, Any]]) -> int:
    """Fill one entry in; about how many bytes its labels and histograms take."""
    for name, text in labels:
        one.labels.add(name=name, value=text)
    size = sum(len(name) + 4 * len(text) for name, text in labels)
    if is_histogram:
        add_histogram = one.histograms.add
        return size + sum(_fill(add_histogram(timestamp=round(at * 1000)), value) for at, value in samples)
    add = one.samples.add
    for at, value in samples:
        add(value=value, timestamp=round(at * 1000))
    return size


def _fill(one: Any, value: Histogram) -> int:
    one.count_float, one.sum, one.schema = value.count, value.sum, value.schema
    one.zero_threshold, one.zero_count_float = value.zero_threshold, value.zero_count
    one.reset_hint = RESET_HINTS.index(value.hint)
    one.custom_values.extend(value.custom_values)
    _add_buckets(one.negative_spans, one.negative_counts, value.negative)
    _add_buckets(one.positive_spans, one.positive_counts, value.positive)
    return 80 + 8 * (len(value.negative.counts) + len(value.positive.counts) + len(value.custom_values))


def _add_buckets(spans: Any, counts: Any, side: Buckets) -> None:
    if any(
        side.counts
    ):  # Prometheus 2.42 takes what has a count of 0 for whole numbers, of which there are none
        spans.add(offset=side.offset, length=len(side.counts))
        counts.extend(side.counts)


def _messages() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="pytest_sre/remote_write.proto", package="pytest_sre", syntax="proto3"
    )
    for name, fields in _SHAPES.items():
        message = file.message_type.add(name=name)
        for number, field, kind, *of in fields:
            repeated = field.endswith("*")
            added = message.field.add(
                name=field.rstrip("*"),
                number=number,
                type=kind,
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
                type_name=f".pytest_sre.{of[0]}" if of and kind == _FIELD.TYPE_MESSAGE else None,
            )
            if of and kind != _FIELD.TYPE_MESSAGE:  # so that a count of 0 is sent: it says what kind it is
                added.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=of[0])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("pytest_sre.WriteRequest"))


_STRING, _DOUBLE, _INT64 = _FIELD.TYPE_STRING, _FIELD.TYPE_DOUBLE, _FIELD.TYPE_INT64
_SINT32, _UINT32, _MESSAGE = _FIELD.TYPE_SINT32, _FIELD.TYPE_UINT32, _FIELD.TYPE_MESSAGE
# Number, name (with * for a repeated one), type; then a message's name, or that of a oneof.
_SHAPES: dict[str, list[tuple[Any, ...]]] = {
    "Label": [(1, "name", _STRING), (2, "value", _STRING)],
    "Sample": [(1, "value", _DOUBLE), (2, "timestamp", _INT64)],
    "BucketSpan": [(1, "offset", _SINT32), (2, "length", _UINT32)],
    "Histogram": [
        (2, "count_float", _DOUBLE, "count"),
        (3, "sum", _DOUBLE),
        (4, "schema", _SINT32),
        (5, "zero_threshold", _DOUBLE),
        (7, "zero_count_float", _DOUBLE, "zero_count"),
        (8, "negative_spans*", _MESSAGE, "BucketSpan"),
        (10, "negative_counts*", _DOUBLE),
        (11, "positive_spans*", _MESSAGE, "BucketSpan"),
        (13, "positive_counts*", _DOUBLE),
        (14, "reset_hint", _INT64),
        (15, "timestamp", _INT64),
        (16, "custom_values*", _DOUBLE),
    ],
    "TimeSeries": [
        (1, "labels*", _MESSAGE, "Label"),
        (2, "samples*", _MESSAGE, "Sample"),
        (4, "histograms*", _MESSAGE, "Histogram"),
    ],
    "WriteRequest": [(1, "timeseries*", _MESSAGE, "TimeSeries")],
}
_REQUEST: Any = _messages()
