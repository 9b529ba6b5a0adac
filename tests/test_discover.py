"""What a repository holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_sre.errors import UserError
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.discover import Inventory, discover

RULES = "groups:\n- name: a\n  rules:\n  - alert: X\n    expr: up == 0\n"
ROUTES = "route: {receiver: a}\nreceivers:\n- name: a\n"
SERVER = "global:\n  external_labels: {cluster: %s}\nscrape_configs: []\n"


def put(root: Path, **files: str | bytes) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)


def look(root: Path, named: tuple[Path, ...] = (), **settings: object) -> Inventory:
    return discover(
        Settings(root=root, folder=root, search=root, file=SreYaml.model_validate(settings)), named
    )


def test_everything_is_found_by_name_and_content(tmp_path: Path) -> None:
    put(tmp_path, **{
        "rules/a.yml": RULES,
        "deploy/k8s/alertmanager.yaml": ROUTES,
        "prometheus.yml": SERVER % "eu",
        "docker-compose.yml": "services: {}\n",
        "fixtures/a.prom": "up 1\n",
        "loki.yml": RULES.replace("up == 0", 'rate({a="b"} |= "x" [1m]) > 0'),
    })  # fmt: skip
    seen = look(tmp_path)
    assert [file.path for file in seen.rule_files] == ["rules/a.yml"]
    assert [rule.name for rule in seen.rules] == ["X"]
    assert seen.routing is not None
    assert (seen.routing.path, seen.routing.base) == (
        "deploy/k8s/alertmanager.yaml",
        str(tmp_path / "deploy/k8s"),
    )
    assert seen.prometheus.globals["external_labels"] == {"cluster": "eu"}
    assert set(seen.snapshots.labels) == {"up"}
    assert [(skipped.path, skipped.reason) for skipped in seen.skipped] == [
        ("loki.yml", "Loki rules (LogQL)")
    ]
    assert seen.broken == ()


def test_an_empty_repository(tmp_path: Path) -> None:
    seen = look(tmp_path)
    assert (seen.rule_files, seen.routing, seen.broken, seen.skipped) == ((), None, (), ())


def test_folders_that_are_not_the_users_own_are_left_out(tmp_path: Path) -> None:
    folders = (".tox/a", "node_modules/x", "vendor", "env/lib")
    put(tmp_path, **{f"{folder}/r.yml": RULES for folder in folders}, **{"env/pyvenv.cfg": ""})
    assert look(tmp_path).rule_files == ()
    assert [file.path for file in look(tmp_path, (tmp_path / "vendor/r.yml",)).rule_files] == ["vendor/r.yml"]


def test_odd_files_do_not_disturb(tmp_path: Path) -> None:
    put(tmp_path, **{"a.yml": RULES})
    (tmp_path / "gone.yml").symlink_to(tmp_path / "nowhere.yml")
    (tmp_path / "folder.yml").mkdir()
    os.mkfifo(tmp_path / "pipe.yml")
    seen = look(tmp_path)
    assert [file.path for file in seen.rule_files] == ["a.yml"]
    assert seen.broken == ()


def test_broken_files_are_listed_the_others_read(tmp_path: Path) -> None:
    put(tmp_path, **{
        "a.yml": RULES,
        "b.yml": RULES + "   for: 5m\n",
        "c.yml": b"groups: # \xff\n",
        "bom.yml": b"\xef\xbb\xbf" + RULES.encode(),
    })  # fmt: skip
    seen = look(tmp_path)
    assert [file.path for file in seen.rule_files] == ["a.yml", "bom.yml"]
    assert [(broken.path, broken.line) for broken in seen.broken] == [("b.yml", 6), ("c.yml", 1)]
    assert "not UTF-8 text (byte 10)" in seen.broken[1].reason


def test_configured_rules_are_the_only_ones(tmp_path: Path) -> None:
    put(
        tmp_path,
        **{"a.yml": RULES, "rules/b.yml": RULES, "rules/deep/c.yml": RULES, "alertmanager.yml": ROUTES},
    )
    seen = look(tmp_path, rules=["rules/**/*.yml"])
    assert [file.path for file in seen.rule_files] == ["rules/b.yml", "rules/deep/c.yml"]
    assert seen.routing is not None
    assert seen.routing.path == "alertmanager.yml"
    absolute = look(tmp_path, rules=[str(tmp_path / "a.yml")])
    assert [file.path for file in absolute.rule_files] == ["a.yml"]


def test_a_file_named_as_rules_that_is_broken_is_not_passed_over(tmp_path: Path) -> None:
    put(tmp_path, **{
        "rules/a.yml": RULES,
        "rules/b.yml": "group: [\n",
        "rules/empty.yml": "",
        "rules/helm.yml": "a: {{ .Values.a }}\n{{ include \"b\" . }}\n",
    })  # fmt: skip
    seen = look(tmp_path, rules=["rules/*.yml"])
    assert [(one.path, one.line) for one in seen.broken] == [("rules/b.yml", 2)]
    assert "not valid YAML" in seen.broken[0].reason
    assert look(tmp_path).broken == ()  # nobody says that it is ours


def test_rules_above_the_folder(tmp_path: Path) -> None:
    put(tmp_path, **{"shared/a.yml": RULES, "team/sre.yaml": ""})
    settings = Settings(
        root=tmp_path, folder=tmp_path / "team", search=tmp_path, file=SreYaml(rules=("../shared/*.yml",))
    )
    assert [file.path for file in discover(settings).rule_files] == ["shared/a.yml"]


def test_a_pattern_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"rules: no file matches 'alerts/\*\.yml'"):
        look(tmp_path, rules=["alerts/*.yml"])


@pytest.mark.parametrize("name", ["alertmanager", "prometheus"])
def test_configurations_that_are_missing_or_ambiguous(tmp_path: Path, name: str) -> None:
    text = ROUTES if name == "alertmanager" else SERVER % "x"
    with pytest.raises(UserError, match=f"{name}: there is no file"):
        look(tmp_path, **{name: "gone.yml"})
    put(tmp_path, **{f"a/{name}.yml": text, f"b/{name}.yml": text})
    with pytest.raises(UserError, match=rf"a/{name}.yml, b/{name}.yml; say which with `{name}:` in sre.yaml"):
        look(tmp_path)
    seen = look(tmp_path, **{name: f"b/{name}.yml"})
    path = seen.routing.path if name == "alertmanager" and seen.routing else seen.prometheus.path
    assert path == f"b/{name}.yml"


def test_the_exact_name_wins(tmp_path: Path) -> None:
    put(
        tmp_path,
        **{
            "alertmanager.yml": ROUTES,
            "alertmanager-old.yml": ROUTES,
            "alertmanager-svc.yml": "kind: Service\n",
        },
    )
    seen = look(tmp_path)
    assert seen.routing is not None
    assert seen.routing.path == "alertmanager.yml"


def test_a_broken_alertmanager_configuration_is_a_broken_file(tmp_path: Path) -> None:
    put(tmp_path, **{"a.yml": RULES, "alertmanager.yml": "route:\n  receiver: a\n receivers: []\n"})
    seen = look(tmp_path)
    assert seen.routing is None
    assert [(broken.path, broken.line) for broken in seen.broken] == [("alertmanager.yml", 3)]
    assert len(seen.rule_files) == 1


@pytest.mark.parametrize("rules", [[], ["rules/*.yml"]])
def test_configurations_that_are_not_text_or_helm(tmp_path: Path, rules: list[str]) -> None:
    put(tmp_path, **{
        "rules/a.yml": RULES,
        "x/alertmanager-x.yml": b"\xff\xfe",
        "chart/alertmanager.yaml": "route: {{ .Values.route }}\n- a",
        "chart/prometheus.yaml": "global: {{ .Values.global }}\n- a",
    })  # fmt: skip
    seen = look(tmp_path, rules=rules)
    assert seen.routing is None
    assert seen.prometheus.path == ""
    assert len(seen.rule_files) == 1


def test_an_alertmanager_configuration_that_is_not_text(tmp_path: Path) -> None:
    put(tmp_path, **{"rules/a.yml": RULES, "alertmanager.yml": b"\xff"})
    for rules in ([], ["rules/*.yml"]):
        assert [broken.path for broken in look(tmp_path, rules=rules).broken] == ["alertmanager.yml"]


def test_a_broken_prometheus_configuration_is_told(tmp_path: Path) -> None:
    put(tmp_path, **{"prometheus.yml": "global:\n  a: 1\n b: 2\n"})
    with pytest.raises(UserError, match=r"^prometheus\.yml:3: not valid YAML"):
        look(tmp_path)


def test_a_broken_snapshot_is_told(tmp_path: Path) -> None:
    put(tmp_path, **{"fixtures/a.prom": "<html>\n"})
    (broken,) = look(tmp_path).broken
    assert (broken.path, broken.line) == ("fixtures/a.prom", 1)
    assert "not a metrics page" in broken.reason
