"""Exit codes and the one line that a person sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesearch.host.command_line import BAD_USAGE, FAILED
from tests.training.drawn import draw_labels
from training.__main__ import main


def test_a_bad_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRAINING_THREADS", "-1")
    assert main(["finetune", "--images", str(tmp_path)]) == BAD_USAGE
    assert capsys.readouterr().err.startswith("training: TRAINING_THREADS: ")


def test_too_few_photos_fail_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = draw_labels(tmp_path / "images", {"reds": 3})
    assert main(["finetune", "--images", str(images), "--out", str(tmp_path / "run")]) == FAILED
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("training: ")]
    assert len(lines) == 1 and "with 3 photos in all" in lines[0]


def test_vgg16_without_its_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VGG16_WEIGHTS", raising=False)
    images = draw_labels(tmp_path / "images", {"reds": 3})
    assert main(["finetune", "--images", str(images), "--model", "vgg16"]) == FAILED
    assert "VGG16_WEIGHTS=file.h5" in capsys.readouterr().err
