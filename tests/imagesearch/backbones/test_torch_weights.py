"""Tensors out of PyTorch's old format, and nothing else out of it."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from imagesearch.backbones.making.prepare import packaged_efficientnet
from imagesearch.backbones.making.torch_weights import read_tensors
from imagesearch.errors import ModelDamaged
from tests.imagesearch.backbones.torch_files import Stored, Tensor, write, write_arrays

ARRAYS: dict[str, NDArray[Any]] = {
    "layer.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "layer.count": np.array(7, dtype=np.int64),
}
NUMBERS = Stored("0", np.arange(6, dtype=np.float32))


def test_tensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    read = read_tensors(write_arrays(tmp_path / "some.pth", ARRAYS))
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_a_tensor_may_lie_in_its_storage_in_another_order(tmp_path: Path) -> None:
    named = OrderedDict(turned=Tensor(NUMBERS, 1, (2, 2), (1, 3)))
    read = read_tensors(write(tmp_path / "some.pth", named, [NUMBERS]))
    np.testing.assert_array_equal(read["turned"], [[1, 4], [2, 5]])


class Planted:
    """Pickled as a call of `os.mkdir`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._folder),)


@pytest.mark.parametrize("place", ["instead", "among", "within", "first"])
def test_planted_code_is_refused_and_not_run(place: str, tmp_path: Path) -> None:
    file, planted = tmp_path / "planted.pth", Planted(tmp_path / "ran")
    named: Any = planted
    if place == "among":
        named = OrderedDict(good=Tensor(NUMBERS, 0, (6,), (1,)), bad=planted)
    elif place == "within":
        named = OrderedDict(bad=Tensor(NUMBERS, planted, (6,), (1,)))
    write(file, named, [NUMBERS])
    if place == "first":
        file.write_bytes(pickle.dumps(planted, protocol=2))
    with pytest.raises(ModelDamaged, match=r"planted\.pth holds something else than tensors"):
        read_tensors(file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "named",
    [
        OrderedDict(number=3),
        OrderedDict({3: Tensor(NUMBERS, 0, (6,), (1,))}),
        {"plain": Tensor(NUMBERS, 0, (6,), (1,))},
        OrderedDict(storage=NUMBERS),
        OrderedDict(empty=Tensor("no storage", 0, (6,), (1,))),
        [1, 2],
    ],
    ids=["number", "name", "dict", "storage", "string", "list"],
)
def test_what_is_no_tensor_by_a_name_is_refused(named: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="something else than tensors"):
        read_tensors(write(tmp_path / "odd.pth", named, [NUMBERS]))


@pytest.mark.parametrize(
    "arguments",
    [
        (1, (6,), (1,)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (7,), (1,)),
        (0, (2, 2), (1, 5)),
        (0, (2, 2), (1,)),
        (0, (2**62, 2), (2**62, 1)),
        (0, (0,), (1,)),
        (0, (1 << 40,), (0,)),
        ("0", (6,), (1,)),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(arguments: tuple[Any, ...], tmp_path: Path) -> None:
    file = write(tmp_path / "outside.pth", OrderedDict(bad=Tensor(NUMBERS, *arguments)), [NUMBERS])
    with pytest.raises(ModelDamaged, match=r"outside\.pth is cut off or not a \.pth file"):
        read_tensors(file)


@pytest.mark.parametrize("numel", [5, 7, -1, 1 << 60])
def test_a_storage_of_another_length_than_it_says_is_refused(numel: int, tmp_path: Path) -> None:
    storage = Stored("0", NUMBERS.array, numel)
    file = write(tmp_path / "long.pth", OrderedDict(bad=Tensor(storage, 0, (5,), (1,))), [storage])
    with pytest.raises(ModelDamaged, match="cut off"):
        read_tensors(file)


@given(st.data())
def test_a_file_that_is_cut_off_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    content = write_arrays(folder / "whole.pth", ARRAYS).read_bytes()
    length = data.draw(st.integers(0, len(content) - 1))
    (folder / "cut.pth").write_bytes(content[:length])
    with pytest.raises(ModelDamaged, match=r"cut\.pth"):
        read_tensors(folder / "cut.pth")


@given(st.data())
def test_a_file_with_any_byte_changed_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    content = bytearray(write_arrays(folder / "whole.pth", ARRAYS).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "changed.pth").write_bytes(content)
    try:
        read_tensors(folder / "changed.pth")
    except ModelDamaged as error:
        assert "changed.pth" in str(error)


def test_pytorchs_newer_format_is_told(tmp_path: Path) -> None:
    (tmp_path / "new.pth").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(ModelDamaged, match="before version 1.6"):
        read_tensors(tmp_path / "new.pth")


def test_the_published_weights_are_read() -> None:
    read = read_tensors(packaged_efficientnet())
    assert len(read) == 296
    assert read["_fc.weight"].shape == (1000, 1280)
