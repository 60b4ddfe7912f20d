"""The alert rules and the dashboard in deploy/ name only metrics, and labels of them, that Rolecall serves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from rolecall.measures import MEASURES
from rolecall.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rolecall.rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "rolecall.json"

SCRAPED = {"instance", "job", "exported_instance", "instance_name"}
"""Labels that Prometheus adds when it scrapes, that it renames, and that a rule makes."""


def served() -> dict[str, set[str]]:
    """The samples of a process that has answered a call, with their labels."""
    metrics = Metrics()
    metrics.expect("tencent", {"postgres": ["CreateAccount"]}, {"InternalError"})
    metrics.call("tencent", "postgres", "CreateAccount", "InternalError", 0.1)
    metrics.engine("postgresql")("create", 0.1, "ok")
    metrics.counted_alone()
    metrics.watch(lambda: [(name, ("shop",) * len(one.labels), 1) for name, one in MEASURES.items()])
    samples: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            samples.setdefault(sample.name, set()).update(sample.labels)
    return samples


def expressions() -> list[str]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    rules = [rule["expr"] for group in groups for rule in group["rules"]]
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return rules + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_names_metrics_and_labels_that_are_served(expression: str) -> None:
    samples = served()
    named = set(re.findall(r"\brolecall_\w+", expression))
    assert named <= samples.keys()
    labels = {label for name in named for label in samples[name]} | SCRAPED
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    matched = re.findall(r"(\w+)(?:=~|!=|=)\"", expression)
    assert {*matched, *(label.strip() for group in grouped for label in group.split(","))} <= labels
    assert expression.count("(") == expression.count(")")


def test_every_alert_says_how_serious_it_is_and_stands_in_the_documents() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert rule["annotations"]["summary"]
            assert f"`{rule['alert']}`" in page


def test_the_page_lists_every_metric_with_its_labels() -> None:
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    listed = {
        name: set(labels.strip("{}").split(",")) - {""}
        for name, labels in re.findall(r"^\| `(rolecall_\w+)({[^}]+})?` \|", page, re.MULTILINE)
    }
    found = {
        re.sub(r"_(bucket|sum|count|created)$", "", name): labels - {"le"}
        for name, labels in served().items()
        if not name.endswith(("_created", "_sum", "_count"))
    }
    assert listed == found


def test_panels_do_not_overlap_and_have_titles() -> None:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(panels)
    assert all(panel["title"] and panel["datasource"]["uid"] == "${datasource}" for panel in panels)
