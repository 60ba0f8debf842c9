from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagesearch.errors import StoreBusy
from imagesearch.store.durable import exclusive
from imagesearch.store.layout import StoreLayout

HOLD = """
import sys, time
from pathlib import Path
from imagesearch.store.layout import StoreLayout
from imagesearch.store.durable import exclusive
with exclusive(StoreLayout(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_store_is_held_by_one_process_and_let_go_when_that_is_killed(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path / "store")
    command = [sys.executable, "-c", HOLD, str(layout.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(StoreBusy, match="wait"), exclusive(layout):
            pass
        holder.kill()
    with exclusive(layout):
        pass


def test_a_store_can_be_held_again_after_it_was_let_go(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    for _ in range(2):
        with exclusive(layout), pytest.raises(StoreBusy), exclusive(layout):
            pass
