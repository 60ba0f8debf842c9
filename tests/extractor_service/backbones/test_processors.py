"""A machine with less: one core, no AVX-512, no AMX."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from extractor_service.backbones import Precision
from tests.conftest import REPOSITORY
from tests.extractor_service.backbones.conftest import Prepared

# OpenVINO asks the processor itself what it has, whatever its library of kernels is limited to.
PROGRAM = """
import os, sys
from pathlib import Path
import numpy as np
from extractor_service.backbones import ModelIdentity, Precision, load_backbone, runtime
from extractor_service.cpus import available_cpus
runtime._has_bf16 = lambda: False
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
identity = ModelIdentity(*sys.argv[2:5])
backbone = load_backbone(Path(sys.argv[1]), identity, Precision(sys.argv[5]), available_cpus())
features = backbone.fc6(np.full((1, 96, 96, 3), 128, dtype=np.uint8))
sys.stdout.write(f"{available_cpus()} {backbone.precision} {features[0, 36]:.4f}")
"""
GREY_FC6_36 = 0.1329  # as in test_runtime


@pytest.mark.parametrize("precision", [Precision.AUTO, Precision.BF16])
def test_it_describes_in_f32(compact: Prepared, precision: Precision) -> None:
    identity = compact.identity
    arguments = [str(compact.models_dir), identity.name, identity.digest, identity.preprocessing, precision]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    cpus, used, value = done.stdout.split()
    assert (cpus, used) == ("1", "f32")
    assert float(value) == pytest.approx(GREY_FC6_36, abs=1e-3)
