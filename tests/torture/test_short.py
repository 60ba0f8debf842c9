"""The short form of what `make torture` tries for long, as far as it needs no quiet machine."""

from __future__ import annotations

import pytest

from tests.torture.__main__ import main


@pytest.mark.parametrize("words", [["verify"], ["killed"]])
def test_what_is_promised_of_failures_holds(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--short", *words]) == 0, capsys.readouterr().out
