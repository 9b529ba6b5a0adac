"""Which receiver a complaint of Alertmanager is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.live.pinpoint import pinpoint
from pytest_sre.sources.yamlfile import load_all


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_the_first_receiver_at_fault_is_found(faulty: list[bool]) -> None:
    entries = [
        f"- name: r{i}\n  email_configs: [{{{'to: a' if not bad else ''}}}]\n" for i, bad in enumerate(faulty)
    ]
    document = load_all("route: {receiver: r0}\nreceivers:\n" + "".join(entries))[0].value
    asked = 0

    def complaint(less: Mapping[str, Any]) -> str:
        nonlocal asked
        asked += 1
        mails = [mail for one in less["receivers"] for mail in one.get("email_configs", ())]
        return "missing to address in email config" if any("to" not in mail for mail in mails) else ""

    line = pinpoint(document, document, "missing to address in email config", complaint)

    assert line == (4 + 2 * faulty.index(True) if any(faulty) else 4)
    assert asked <= 6


def test_what_is_not_about_receivers_is_looked_for_in_all() -> None:
    document = load_all("receivers:\n- name: a\n- name: b\nroute: {receiver: none}\n")[0].value

    assert pinpoint(document, document, 'undefined receiver "none" used in route', lambda _: "") == 4
