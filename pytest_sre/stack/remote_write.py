"""Prometheus' remote-write protocol, version 1.0: snappy-compressed protobuf.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cramjam
import requests
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pytest_sre.errors import StackError
from pytest_sre.model.scenario import Labels

SERIES_PER_REQUEST = 1000
SAMPLES_PER_REQUEST = 500_000
_FIELD = descriptor_pb2.FieldDescriptorProto


def write(
    client: requests.Session, url: str, series: Iterable[tuple[Labels, Iterable[tuple[float, float]]]]
) -> None:
    """Send series, each with samples of (seconds since the epoch, value); raises StackError."""
    for batch in _batches(series):
        request = _REQUEST()
        for labels, samples in batch:
            one = request.timeseries.add()
            for name, value in labels:
                one.labels.add(name=name, value=value)
            for at, number in samples:
                one.samples.add(value=number, timestamp=round(at * 1000))
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
            raise StackError(
                f"Prometheus refused the series: {answer.status_code} {answer.text.strip()[:500]}"
            )


def _batches(
    series: Iterable[tuple[Labels, Iterable[tuple[float, float]]]],
) -> Iterator[list[tuple[Labels, list[tuple[float, float]]]]]:
    """The series in parts of a size that Prometheus takes at once."""
    batch: list[tuple[Labels, list[tuple[float, float]]]] = []
    samples = 0
    for labels, points in series:
        batch.append((labels, list(points)))
        samples += len(batch[-1][1])
        if len(batch) >= SERIES_PER_REQUEST or samples >= SAMPLES_PER_REQUEST:
            yield batch
            batch, samples = [], 0
    if batch:
        yield batch


def _messages() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="pytest_sre/remote_write.proto", package="pytest_sre", syntax="proto3"
    )
    shapes: dict[str, list[tuple[str, Any, str]]] = {
        "Label": [("name", _FIELD.TYPE_STRING, ""), ("value", _FIELD.TYPE_STRING, "")],
        "Sample": [("value", _FIELD.TYPE_DOUBLE, ""), ("timestamp", _FIELD.TYPE_INT64, "")],
        "TimeSeries": [("labels", _FIELD.TYPE_MESSAGE, "Label"), ("samples", _FIELD.TYPE_MESSAGE, "Sample")],
        "WriteRequest": [("timeseries", _FIELD.TYPE_MESSAGE, "TimeSeries")],
    }
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for number, (field, kind, of) in enumerate(fields, 1):
            message.field.add(
                name=field,
                number=number,
                type=kind,
                label=_FIELD.LABEL_REPEATED if of else _FIELD.LABEL_OPTIONAL,
                type_name=f".pytest_sre.{of}" if of else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("pytest_sre.WriteRequest"))


_REQUEST: Any = _messages()
