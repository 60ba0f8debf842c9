"""What commands say is shown by any terminal, and obeyed by none."""

from __future__ import annotations

import io
import sys

import pytest

from imagesearch.host.command_line import fail, say


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "10 × \\x1b[31mé\n"), ("ascii", "10 \\xd7 \\x1b[31m\\xe9\n")]
)
def test_what_a_terminal_cannot_show_is_written_in_other_signs(
    monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str
) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    say("10 × \x1b[31mé")
    fail("indexer", "10 × \x1b[31mé")
    out.seek(0)
    err.seek(0)
    assert (out.read(), err.read()) == (shown, f"indexer: {shown}")
