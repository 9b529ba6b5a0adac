"""YAML: what is read is what is written, and every line is known."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.sources import yamlfile
from pytest_sre.sources.yamlfile import Plain, YamlError, line_of

PLAIN = st.sampled_from(
    [
        "0",
        "1.10",
        "-3",
        "+4.5",
        "1e3",
        "0x1F",
        "0o17",
        "true",
        "False",
        "yes",
        "off",
        ".inf",
        "-.Inf",
        ".NaN",
        ".5",
    ]
).map(Plain)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | PLAIN | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


def load(text: str) -> Any:
    (document,) = yamlfile.load_all(text)
    return document.value


def kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [kinds(item) for item in value]
    return type(value)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    text, lines = yamlfile.dump(value)
    assert load(text) == value
    assert kinds(load(text)) == kinds(value)
    assert len(lines) == text.count("\n")


@given(VALUES.filter(lambda value: "Plain" not in repr(kinds(value))))
def test_other_readers_agree(value: Any) -> None:
    assert yaml.safe_load(yamlfile.dump(value)[0]) == value


@pytest.mark.parametrize(
    "text", ["\x85", "\u2028", "\u2029", "\ufeff", "\x7f", "\x9f", "\uffff", "😀", '"\\\n\t']
)
def test_characters_that_yaml_treats_specially(text: str) -> None:
    written = yamlfile.dump({text: text})[0]
    assert load(written) == {text: text}
    assert yaml.safe_load(written) == {text: text}


def test_a_lone_surrogate_can_be_written_to_a_file() -> None:
    assert yamlfile.dump(["\ud800"])[0].encode() == b'[\n"\\ud800"\n]\n'


def test_plain_is_told_from_quoted() -> None:
    value = load(
        "a: 1.10\nb: '1.10'\nc: true\nd: \"true\"\ne:\nf: ~\ng: ''\nh: yes\ni: 1h\nj: 2020-01-02\nk: |\n  5\n"
    )
    plain = {key for key, item in value.items() if isinstance(item, Plain)}
    assert plain == {"a", "c", "h"}
    assert {key for key, item in value.items() if item is None} == {"e", "f"}
    assert (value["a"], value["b"], value["g"], value["j"], value["k"]) == (
        "1.10",
        "1.10",
        "",
        "2020-01-02",
        "5\n",
    )


def test_lines_of_keys_and_items() -> None:
    value = load(
        "# comment\ngroups:\n  - name: a\n    rules:\n      - alert: X\n        expr: |\n          1\n      - {alert: Y}\n"
    )
    assert line_of(value, "groups") == 2
    assert line_of(value["groups"], 0) == 3
    rules = value["groups"][0]["rules"]
    assert [line_of(rules, 0), line_of(rules, 1)] == [5, 8]
    assert line_of(rules[0], "expr") == 6
    assert line_of(rules[0], "missing") == 5
    assert line_of({}, "missing", 7) == 7


def test_lines_of_the_copy_lead_back() -> None:
    source = "a:\n\n  b: 1\n\n\n  c: [x,\n    y]\n"
    text, lines = yamlfile.dump(load(source))
    of = dict(zip(text.splitlines(), lines, strict=True))
    assert of['"b": 1,'] == 3
    assert of['"c": ['] == 6
    assert of['"y"'] == 7


def test_documents_have_their_lines_and_a_text_may_start_anywhere() -> None:
    assert [(d.value, d.line) for d in yamlfile.load_all("a: 1\n---\n---\nb: 2\n")] == [
        ({"a": "1"}, 1),
        (None, 3),
        ({"b": "2"}, 4),
    ]
    assert yamlfile.load_all("a: 1\n", first_line=10)[0].line == 10
    assert yamlfile.load_all("# nothing\n") == []


def test_aliases_and_merge_keys_are_expanded() -> None:
    value = load("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\nz: *x\nw:\n  <<: [{a: 4}, *x]\n")
    assert value["y"] == {"a": "1", "b": "3"}
    assert value["w"] == {"a": "4", "b": "2"}
    value["z"]["a"] = "changed"
    assert value["x"]["a"] == "1"
    assert line_of(value["y"], "b") == 4
    assert line_of(value["y"], "a") == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, r'key "a" is set twice \(first at line 1\)'),
        ("a:\n  - b: 1\n   c: 2\n", 3, "expected"),
        ("a: 1\n\tb: 2\n", 2, "tab|token|character"),
        ("a: [1,\n", 2, "flow"),
        ("a: *nobody\n", 1, "undefined alias"),
        ("a: &a [*a]\n", 1, "contains itself"),
        ("? [a, b]\n: 1\n", 1, "a key must be a scalar"),
        ("<<: 5\n", 1, "takes a mapping"),
        ("a: \x00\n", 1, "special characters|control characters|unacceptable"),
        ("a: 'b\n", 1, "quoted scalar"),
    ],
)
def test_what_is_wrong_and_where(text: str, line: int, message: str) -> None:
    with pytest.raises(YamlError, match=message) as caught:
        yamlfile.load_all(text)
    assert abs(caught.value.line - line) <= (1 if "'" in text else 0)


def test_billion_laughs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlfile, "MAX_NODES", 20_000)
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for last, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]\n"
    with pytest.raises(YamlError, match="expand to too many values"):
        yamlfile.load_all(bomb)


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "[" * 800 + "]" * 800])
def test_deep_nesting_is_refused_not_crashed_on(text: str) -> None:
    code = (
        "import sys\nfrom pytest_sre.sources.yamlfile import YamlError, load_all\n"
        "try: load_all(sys.stdin.read())\nexcept YamlError as error: print(error.line, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=text, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "1 nested too deeply\n"), done.stderr[-500:]


def test_many_braces_side_by_side_are_not_deep() -> None:
    text = "".join(f'- expr: up{{a="}}"}} > {{{{ {i}\n' for i in range(300))
    assert len(load(text)) == 300
