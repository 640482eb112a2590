"""The official layouts are read as they are, masks never as input, and a broken layout is named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from convert.data import DataFolders
from convert.datasets.busbra import load_busbra
from convert.datasets.busi import load_busi
from convert.datasets.sample import DatasetError
from convert.datasets.uclm import load_uclm
from tests.convert.folders import make_busbra, make_busi, make_uclm


def test_busi_masks_are_no_input_and_belong_to_their_image(tmp_path: Path) -> None:
    samples = load_busi(make_busi(tmp_path / "busi"))
    assert Counter(s.label_name for s in samples) == {"normal": 4, "benign": 4, "malignant": 4}
    assert not any("mask" in s.image.stem for s in samples)
    by_key = {s.key: s for s in samples}
    assert {p.name for p in by_key["busi/benign (1)"].masks} == {"benign (1)_mask.png", "benign (1)_mask_1.png"}
    assert by_key["busi/normal (1)"].masks == ()


def test_busi_leaves_out_groups_with_two_labels(tmp_path: Path) -> None:
    folder = make_busi(tmp_path / "busi")
    (folder / "malignant" / "malignant (9).png").write_bytes((folder / "benign" / "benign (2).png").read_bytes())
    keys = {s.key for s in load_busi(folder)}
    assert "busi/benign (2)" not in keys
    assert "busi/malignant (9)" not in keys
    assert "busi/benign (3)" in keys


def test_busbra_groups_by_case_and_names_the_scanner(tmp_path: Path) -> None:
    samples = load_busbra(make_busbra(tmp_path / "busbra"))
    assert len(samples) == 12
    assert len({s.group for s in samples}) == 6
    assert {s.scanner for s in samples} == {"GE Logiq 7", "U-Systems"}
    assert all(s.masks[0].stem == s.image.stem.replace("bus_", "mask_") for s in samples)


def test_uclm_leaves_out_doppler_and_combined_frames_and_masks_of_normals(tmp_path: Path) -> None:
    samples = load_uclm(make_uclm(tmp_path / "uclm"))
    assert len(samples) == 12
    assert {s.group for s in samples} == {f"uclm/P{n:03d}" for n in range(6)}
    assert all((s.masks == ()) == (s.label == 0) for s in samples)


@pytest.mark.parametrize("reader", [load_busi, load_busbra, load_uclm])
def test_a_folder_of_another_layout_is_named(reader: object, tmp_path: Path) -> None:
    assert callable(reader)
    with pytest.raises(DatasetError, match=str(tmp_path)):
        reader(tmp_path)


def test_no_data_at_all_says_which_options_there_are() -> None:
    with pytest.raises(DatasetError, match="--busi"):
        DataFolders().load()


def test_the_real_sets_have_their_known_sizes(shared: Path) -> None:
    data = shared / "data"
    samples = DataFolders(data / "Dataset_BUSI_with_GT", data / "BUSBRA", data / "BUS-UCLM").load()
    counts = Counter((s.dataset, s.label_name) for s in samples)
    assert counts["busbra", "benign"] == 1268
    assert counts["busbra", "malignant"] == 607
    assert counts["busbra", "normal"] == 0
    assert 560 < sum(n for (name, _), n in counts.items() if name == "busi") < 629
    assert len({s.group for s in samples if s.dataset == "uclm"}) == 25
    assert all(s.masks for s in samples if s.label > 0)
