"""The manifests of deploy/kubernetes, held against Kubernetes' own schemas and the programs they start."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from extractor_service.settings import ExtractorSettings
from gateway.settings import Settings as GatewaySettings
from indexer.settings import IndexerSettings

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate")

FOLDER = Path(__file__).parents[1] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for name in KUSTOMIZATION["resources"]
    for manifest in yaml.safe_load_all((FOLDER / name).read_text("utf-8"))
]
PROGRAMS: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "extractor": ExtractorSettings,
    "indexer": IndexerSettings,
}
VERSIONS = ("1.30", "1.37")


def name_of(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def named(kind: str, name: str) -> dict[str, Any]:
    [found] = [each for each in MANIFESTS if name_of(each) == f"{kind} {name}"]
    return found


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("gateway", "extractor"):
        yield name, named("Deployment", name)["spec"]["template"]
    yield "indexer", named("CronJob", "indexer")["spec"]["jobTemplate"]["spec"]["template"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=name_of)
def test_each_manifest_is_what_kubernetes_takes(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_of_the_folder_is_a_resource() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])


@pytest.mark.parametrize(("name", "pod"), [*pods()])
def test_each_container_can_do_little_and_is_told_what_the_program_knows(
    name: str, pod: dict[str, Any]
) -> None:
    [container] = pod["spec"]["containers"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    settings = PROGRAMS[name]
    prefix = settings.model_config["env_prefix"]
    known = {f"{prefix}{field.upper()}" for field in settings.model_fields}
    assert {each["name"] for each in container["env"]} <= known
    assert container["image"] in {each["name"] for each in KUSTOMIZATION["images"]}
    mounted = {mount["name"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in pod["spec"]["volumes"]}
    assert mounted.get("images", True)
    assert mounted.get("store", True) or name == "indexer"


@pytest.mark.parametrize("name", ["gateway", "extractor"])
def test_each_deployment_scales_and_keeps_one_pod_while_nodes_are_drained(name: str) -> None:
    pod = named("Deployment", name)["spec"]["template"]
    assert named("Deployment", name)["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    assert "replicas" not in named("Deployment", name)["spec"]  # the autoscaler says how many
    assert named("HorizontalPodAutoscaler", name)["spec"]["scaleTargetRef"]["name"] == name
    assert named("HorizontalPodAutoscaler", name)["spec"]["minReplicas"] >= 2
    budget = named("PodDisruptionBudget", name)["spec"]
    assert budget["minAvailable"] >= 1
    assert budget["selector"]["matchLabels"] == pod["metadata"]["labels"]


def test_gateways_find_every_search_service_by_its_name() -> None:
    [gateway] = named("Deployment", "gateway")["spec"]["template"]["spec"]["containers"]
    [extractor] = named("Deployment", "extractor")["spec"]["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in gateway["env"]}
    port = extractor["ports"][0]["containerPort"]
    service = named("Service", "extractor")["spec"]
    assert service["clusterIP"] == "None"
    assert environment["GATEWAY_EXTRACTOR_ADDRESS"] == f"dns:///extractor:{port}"
    assert service["ports"][0]["port"] == port
    assert extractor["readinessProbe"]["grpc"]["port"] == port


def test_copies_on_the_nodes_change_the_volume_of_the_store() -> None:
    overlay = yaml.safe_load((FOLDER / "node-copies" / "kustomization.yaml").read_text("utf-8"))
    [patch] = [each for each in overlay["patches"] if each["target"]["kind"] == "Deployment"]
    [change] = yaml.safe_load(patch["patch"])
    volumes = named("Deployment", "extractor")["spec"]["template"]["spec"]["volumes"]
    assert change["path"] == "/spec/template/spec/volumes/0"
    assert change["value"]["name"] == volumes[0]["name"] == "store"
    changed = deepcopy(named("Deployment", "extractor"))
    changed["spec"]["template"]["spec"]["volumes"][0] = change["value"]
    kubernetes_validate.validate(changed, VERSIONS[-1], strict=True)
