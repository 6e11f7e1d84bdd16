"""The files of deploy/: what they name exists, validators find nothing, and the container's commands work."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from fragile_pipelines import ruler

from domain_ner.client import Client
from domain_ner.packaging.wheels import Release, build_wheels
from domain_ner.serving.metrics import Metrics
from domain_ner.serving.settings import PREFIX, ServiceSettings

sys.path.append(str(ROOT / "benchmarks"))

from _servers.container import built_from
from _servers.processes import free_port, running

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf8"))
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/domain-ner.json").read_text(encoding="utf8"))
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes/service.yaml").read_text(encoding="utf8")))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def program(name):
    """A program of the environment that runs the tests, or of the PATH."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return found or pytest.skip(f"needs {name}")


def test_every_setting_that_is_named_exists():
    text = "".join(path.read_text(encoding="utf8") for path in DEPLOY.rglob("*") if path.is_file())
    known = {PREFIX + name.upper() for name in ServiceSettings.__dataclass_fields__}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", text)) <= known


def test_every_query_of_the_dashboard_asks_for_what_the_service_counts():
    families = Metrics({"name": "x"}).registry.collect()
    series = {sample for family in families for sample in [family.name, f"{family.name}_total"]}
    series |= {f"{name}_{part}" for name in series for part in ("bucket", "sum", "count")}
    for query in QUERIES:
        asked = set(re.findall(r"domain_ner_\w+", query))
        assert asked and asked <= series, query


def test_every_query_is_promql():
    promql = pytest.importorskip("promql_parser")
    for query in QUERIES:
        promql.parse(query.replace("$__rate_interval", "1m"))


def test_panels_do_not_overlap_and_have_titles():
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)) and all(panel["title"] for panel in DASHBOARD["panels"])


def test_no_container_has_more_rights_than_it_needs():
    service = COMPOSE["services"]["service"]
    assert service["read_only"] and "USER 10001" in DOCKERFILE
    for one in COMPOSE["services"].values():
        assert one["cap_drop"] == ["ALL"] and "no-new-privileges:true" in one["security_opt"]
        assert all(port.startswith("127.0.0.1:") for port in one["ports"])
    (container,) = MANIFESTS[0]["spec"]["template"]["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]


def test_the_files_that_compose_mounts_exist():
    for one in COMPOSE["services"].values():
        for volume in one.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (DEPLOY / source).exists(), source


def test_the_dockerfile_is_linted():
    ran = subprocess.run([program("hadolint"), str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_manifests_are_valid():
    validate = pytest.importorskip("kubernetes_validate")
    for manifest in MANIFESTS:
        validate.validate(manifest, "1.32", strict=True)


@pytest.mark.slow
def test_the_commands_of_the_dockerfile_give_a_service_without_torch(tmp_path):
    packages = tmp_path / "packages"
    built = build_wheels(ruler(tmp_path / "ruler"), ROOT, packages, Release("domain_ner", "1.0.0"))
    port, wheels = free_port(), list(packages.glob("*.whl"))
    image = built_from(wheels, built.name, tmp_path / "image", port, {f"{PREFIX}API_KEYS": "key"})
    assert subprocess.run([image.python, "-c", "import torch"], stderr=subprocess.DEVNULL, check=False).returncode
    with running("the service", image.command, tmp_path / "serve.log", image.environment) as server:
        server.wait_until(image.is_healthy, 60)
        (found,) = Client(f"http://127.0.0.1:{port}", api_key="key", retries=9).extract(["Redis"])
        assert [entity.label for entity in found.entities] == ["INFRA"]
