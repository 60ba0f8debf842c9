"""What docs/deployment.md promises of the containers, as far as the files tell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = [REPOSITORY / "Dockerfile.gateway", REPOSITORY / "Dockerfile.extractor"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "${APP_USER:-10001:10001}"
    assert service["mem_limit"] and service["pids_limit"]
    assert service["ulimits"]["nofile"] and "size=" in service["tmpfs"][0]
    assert "privileged" not in service and "cap_add" not in service


def test_each_container_gets_its_own_settings_alone() -> None:
    for name, service in SERVICES.items():
        assert service["env_file"] == [{"path": f"{name}.env", "required": False}]
    assert SERVICES["gateway"]["environment"]["GATEWAY_EXTRACTOR_TOKEN"] == "${SEARCH_TOKEN:-}"
    assert SERVICES["extractor"]["environment"]["EXTRACTOR_BEARER_TOKEN"] == "${SEARCH_TOKEN:-}"


def test_one_folder_has_gateway_and_extractor_speak_tls_and_the_key_is_the_extractors_alone() -> None:
    cert, key = (f"${{SEARCH_TLS:+/run/secrets/{name}}}" for name in ("cert.pem", "key.pem"))
    extractor, gateway = SERVICES["extractor"]["environment"], SERVICES["gateway"]["environment"]
    assert (extractor["EXTRACTOR_TLS_CERT_FILE"], extractor["EXTRACTOR_TLS_KEY_FILE"]) == (cert, key)
    assert gateway["GATEWAY_EXTRACTOR_TLS_CA_FILE"] == cert
    assert [name for name, service in SERVICES.items() if "key.pem" in service.get("secrets", [])] == [
        "extractor"
    ]


def test_the_certificate_that_the_documents_make_serves_gateway_and_health(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "deployment.md").read_text("utf-8")
    [command] = re.findall(r"^openssl req(?:.*\\\n)*.*", page, flags=re.MULTILINE)
    (tmp_path / "tls").mkdir()
    subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True)
    text = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "tls/cert.pem", "-noout", "-ext", "subjectAltName"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    host = SERVICES["gateway"]["environment"]["GATEWAY_EXTRACTOR_ADDRESS"].partition(":")[0]
    assert f"DNS:{host}" in text and "IP Address:127.0.0.1" in text


def test_only_the_gateway_publishes_a_port_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"gateway": ["${GATEWAY_HOST:-127.0.0.1}:${GATEWAY_PORT:-8000}:8000"]}


def test_the_extractor_is_on_an_internal_network_only() -> None:
    assert SERVICES["extractor"]["networks"] == ["search"]
    assert COMPOSE["networks"]["search"]["internal"] is True


def test_only_the_indexer_writes_and_only_to_the_store() -> None:
    writable = {
        (name, volume)
        for name, service in SERVICES.items()
        for volume in service.get("volumes", [])
        if not volume.endswith(":ro")
    }
    assert writable == {("indexer", "${STORE:-store}:/store")}


def test_the_gateway_has_neither_the_photos_nor_the_store() -> None:
    assert "volumes" not in SERVICES["gateway"]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_each_image_installs_by_hash_and_runs_without_root(dockerfile: Path) -> None:
    stages = re.split(r"^FROM ", dockerfile.read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert stages[0].startswith("python:3.11-slim AS base")
    runnable = [stage for stage in stages if "ENTRYPOINT" in stage]
    assert runnable
    assert all(re.search(r"^USER [1-9][0-9]*:[1-9][0-9]*$", stage, flags=re.MULTILINE) for stage in runnable)
    installs = [
        line for stage in stages for line in stage.splitlines() if "install -" in line and "pip" in line
    ]
    assert installs and all("--require-hashes" in line for line in installs)


def test_the_page_waits_for_nothing_and_the_indexer_goes_on() -> None:
    waits = [each for service in SERVICES.values() for each in service.get("depends_on", {}).values()]
    assert [wait["condition"] for wait in waits] == ["service_started"] * 2
    assert SERVICES["indexer"]["restart"] == "unless-stopped"
    assert 'CMD ["watch"]' in (REPOSITORY / "Dockerfile.extractor").read_text("utf-8")
