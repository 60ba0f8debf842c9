"""A machine with less: one core, no AVX-512, no AMX."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imagesearch.backbones import Precision
from tests.conftest import REPOSITORY
from tests.imagesearch.backbones import numpy_network
from tests.imagesearch.backbones.conftest import Prepared
from tests.imagesearch.backbones.pictures import cosines, smooth_pictures

# OpenVINO asks the processor itself what it has, whatever its library of kernels is limited to.
PROGRAM = """
import os, sys
from pathlib import Path
import numpy as np
from imagesearch.backbones import ModelIdentity, Precision, load_backbone, runtime
from imagesearch.host.cpus import available_cpus
runtime._has_bf16 = lambda: False
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
identity = ModelIdentity(*sys.argv[2:5])
backbone = load_backbone(Path(sys.argv[1]), identity, Precision(sys.argv[5]), available_cpus())
np.save(sys.argv[7], backbone.embed(np.load(sys.argv[6])))
sys.stdout.write(f"{available_cpus()} {backbone.precision}")
"""


@pytest.mark.parametrize("precision", [Precision.AUTO, Precision.BF16])
def test_it_describes_in_f32(efficientnet: Prepared, tmp_path: Path, precision: Precision) -> None:
    identity, pictures = efficientnet.identity, smooth_pictures(2, 224, seed=9)
    inputs, outputs = tmp_path / "pictures.npy", tmp_path / "embeddings.npy"
    np.save(inputs, pictures)
    arguments = [
        str(efficientnet.models_dir),
        identity.name,
        identity.digest,
        identity.preprocessing,
        precision,
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, str(inputs), str(outputs)],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "f32"]
    _, expected = numpy_network.efficientnet(pictures)
    assert cosines(np.load(outputs), expected.astype(np.float32)).min() >= 0.9999
