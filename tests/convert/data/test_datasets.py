# SPDX-License-Identifier: Apache-2.0
"""The official layouts are read as they are, masks never as input, and a broken layout is named."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from convert.data.datasets.busbra import load_busbra
from convert.data.datasets.busi import load_busi
from convert.data.datasets.class_folders import load_class_folders
from convert.data.datasets.known import KNOWN, Rights
from convert.data.datasets.sample import UNKNOWN, DatasetError
from convert.data.datasets.uclm import load_uclm
from convert.data.folders import DataFolders
from tests.convert.folders import label_name, make_busbra, make_busi, make_class_folders, make_uclm


def test_busi_masks_are_no_input_and_belong_to_their_image(tmp_path: Path) -> None:
    samples = load_busi(make_busi(tmp_path / "busi"))
    assert Counter(label_name(s) for s in samples) == {"normal": 4, "benign": 4, "malignant": 4}
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
    with pytest.raises(DatasetError, match=re.escape(str(tmp_path))):
        reader(tmp_path)


def test_no_data_at_all_says_which_options_there_are() -> None:
    with pytest.raises(DatasetError, match="--busi"):
        DataFolders().load()


def test_a_hospitals_own_folder_is_read_with_its_patients_scanners_and_masks(tmp_path: Path) -> None:
    samples = load_class_folders("ours", make_class_folders(tmp_path / "ours", each=4))
    assert Counter(label_name(s) for s in samples) == {"benign": 4, "malignant": 4}
    assert {s.group for s in samples} == {f"ours/{name} {n}" for name in ("benign", "malignant") for n in (0, 1)}
    assert {s.scanner for s in samples} == {"Aplio"}
    assert all(s.masks[0].parent.name == "masks" and s.masks[0].stem == s.image.stem for s in samples)


def test_without_a_table_near_copies_stay_together_and_masks_may_lie_beside_their_image(tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "ours", outlined=False)
    (folder / "list.csv").unlink()
    pixels = (folder / "benign" / "benign0.png").read_bytes()
    (folder / "benign" / "copy.png").write_bytes(pixels)
    (folder / "benign" / "copy_mask.png").write_bytes(pixels)
    by_key = {s.key: s for s in load_class_folders("ours", folder)}
    assert by_key["ours/benign/copy"].group == by_key["ours/benign/benign0"].group
    assert by_key["ours/benign/copy"].group != by_key["ours/benign/benign1"].group
    assert [p.name for p in by_key["ours/benign/copy"].masks] == ["copy_mask.png"]
    assert "ours/benign/copy_mask" not in by_key


def test_a_folder_that_names_no_class_holds_breasts_of_unknown_class(tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "ours")
    (folder / "benign").rename(folder / "waiting")
    (folder / "list.csv").unlink()
    labels = {s.key.split("/")[1]: s.label for s in load_class_folders("ours", folder)}
    assert labels == {"waiting": UNKNOWN, "malignant": 2}
    assert {s.dataset for s in DataFolders(others=(("ours", folder),)).load()} == {"ours"}
    assert all(s.label != UNKNOWN for s in DataFolders(others=(("ours", folder),)).load())


def test_a_table_that_names_a_missing_image_is_refused_with_its_name(tmp_path: Path) -> None:
    folder = make_class_folders(tmp_path / "ours")
    (folder / "benign" / "benign1.png").unlink()
    with pytest.raises(DatasetError, match=r"benign/benign1\.png"):
        load_class_folders("ours", folder)


@pytest.mark.parametrize("name", ["buv40", "breast-lesions-usg", "udiat"])
def test_a_set_kept_for_figures_is_never_trained_on(name: str, tmp_path: Path) -> None:
    data = DataFolders(busi=make_busi(tmp_path / "busi"), others=((name, make_class_folders(tmp_path / name)),))
    assert {s.dataset for s in data.load()} == {"busi"}
    assert {s.dataset for s in data.load_external()} == {name}


def test_every_named_set_of_doubtful_rights_serves_figures_only() -> None:
    doubtful = {name for name, known in KNOWN.items() if known.rights is Rights.FIGURES_ONLY}
    assert {"buv40", "bicat", "stu", "unlabelled"} <= doubtful
    assert KNOWN["oasbud"].rights is KNOWN["uclm"].rights is Rights.NON_COMMERCIAL


def test_the_real_further_sets_have_their_known_sizes(shared: Path) -> None:
    names = ("JoeTao300", "OASBUD", "BUV40", "BiCAT", "STU", "unlabelled")
    data = DataFolders(others=tuple((name.lower(), shared / "data" / name) for name in names))
    counts = Counter((s.dataset, label_name(s)) for s in (*data.load(), *data.load_external()))
    assert counts["joetao300", "benign"] == 133
    assert counts["joetao300", "malignant"] == 146
    assert (counts["oasbud", "benign"], counts["oasbud", "malignant"]) == (96, 104)
    assert (counts["buv40", "benign"], counts["buv40", "malignant"]) == (20, 19)
    assert (counts["bicat", "normal"], counts["bicat", "unknown"]) == (24, 172)
    assert (counts["stu", "unknown"], counts["unlabelled", "unknown"]) == (42, 181)
    samples = data.load()
    assert len({s.group for s in samples if s.dataset == "joetao300"}) == 219
    assert all(len(s.masks) == 1 for s in samples if s.dataset == "oasbud")


def test_the_real_sets_have_their_known_sizes(shared: Path) -> None:
    data = shared / "data"
    samples = DataFolders(data / "Dataset_BUSI_with_GT", data / "BUSBRA", data / "BUS-UCLM").load()
    counts = Counter((s.dataset, label_name(s)) for s in samples)
    assert counts["busbra", "benign"] == 1268
    assert counts["busbra", "malignant"] == 607
    assert counts["busbra", "normal"] == 0
    assert 560 < sum(n for (name, _), n in counts.items() if name == "busi") < 629
    assert len({s.group for s in samples if s.dataset == "uclm"}) == 25
    assert all(s.masks for s in samples if s.label > 0)
