"""Silences, through Alertmanager's API."""

from __future__ import annotations

import time
from collections.abc import Sequence

import requests

from pytest_sre.errors import Refused
from pytest_sre.model.routing import Matcher
from pytest_sre.stack.alertmanager import stamp
from pytest_sre.stack.backend import Server, answering


def silence(client: requests.Session, server: Server, matchers: Sequence[Matcher]) -> str:
    """Silence what matches for an hour from now; returns the silence's id. Raises Refused and StackError."""
    now = time.time()
    body = {
        "matchers": [
            {
                "name": one.label,
                "value": one.value,
                "isRegex": one.op in ("=~", "!~"),
                "isEqual": one.op in ("=", "=~"),
            }
            for one in matchers
        ],
        "startsAt": stamp(now - 1),
        "endsAt": stamp(now + 3600),
        "createdBy": "pytest-sre",
        "comment": "of an incident test",
    }
    with answering(server):
        answer = client.post(server.url + "/api/v2/silences", json=body, timeout=30)
        if not answer.ok:
            said = f"{answer.status_code} {answer.text.strip()[:500]}"
            raise Refused(f"Alertmanager refused the silence {', '.join(map(str, matchers))}: {said}")
        return str(answer.json()["silenceID"])
