"""Templates that a ConfigMap or Secret holds, for the `AlertmanagerConfig` that is the whole configuration."""

from __future__ import annotations

from amconfigs import config
from test_operator_whole import HOOK, SERVER, merged

REFERENCE = "    templates:\n    - configMap: {name: texts, key: a.tmpl}\n"
MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: texts}
data:
  a.tmpl: TEXT
"""
OBJECT = config("main", "monitoring", HOOK)


def test_two_objects_of_one_name_with_different_texts_are_refused() -> None:
    server = SERVER + REFERENCE
    _, (one,) = merged(OBJECT, server, MAP, MAP.replace("TEXT", "other"))

    assert (one.path, one.line) == ("1.yml", len(server.splitlines()))
    assert "ConfigMap texts has different texts of a.tmpl, at 2.yml:5 and at 3.yml:5" in one.reason
    assert "`scopes:`" in one.reason


def test_two_objects_of_one_name_may_say_the_same() -> None:
    routing, refused = merged(OBJECT, SERVER + REFERENCE, MAP, MAP)

    assert not refused
    assert routing is not None
    assert [str(one.place(1)) for one in routing.held.values()] == ["2.yml:5"]


def test_two_references_of_one_path_are_refused() -> None:
    server = SERVER + REFERENCE + "    - secret: {name: more, key: a.tmpl}\n"
    _, (one,) = merged(OBJECT, server, MAP)

    assert (one.path, one.line) == ("1.yml", len(server.splitlines()))
    assert "Secret more and of ConfigMap texts are one file, /etc/alertmanager/templates/a.tmpl" in one.reason


def test_each_line_of_a_text_knows_its_place() -> None:
    block = MAP.replace("TEXT", "|\n    one\n\n    three")
    for text, lines in ((block, (6, 7, 8, 9)), (MAP.replace("TEXT", '"one\\ntwo"'), (5, 5))):
        routing, _ = merged(OBJECT, SERVER + REFERENCE, text)

        assert routing is not None
        assert [one.lines for one in routing.held.values()] == [lines]
