# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device.errors import (
    LastOperatorError,
    OtherDeviceError,
    PinDelayError,
    PinTakenError,
    RecordDamagedError,
    RecoveryKeyError,
    VaultChangedError,
    VaultDamagedError,
    VaultExistsError,
    VaultLockedError,
    WeakPinError,
    WrongPinError,
)
from device.records.keys import attempts
from device.records.keys.hpke import HpkeOpener, new_private_key
from device.records.keys.key_file import key_file_path
from device.records.keys.vault import Vault, is_set_up, locked_opener, pin_wait_s
from device.records.store.store import Store
from tests.device.records.conftest import CHEAP, LIMITS, PIN

OTHER_PIN = "739150"
SECRET = bytes(range(32))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    made = Vault.create(tmp_path / "deep" / "records", PIN, "Asha", cost=CHEAP)
    yield made
    made.lock()


def test_the_pin_opens_what_was_sealed_before_the_restart(vault: Vault) -> None:
    blob = vault.seal("exam", "1", b"text")
    vault.lock()
    again = Vault.unlock(vault.folder, PIN)
    assert (again.operator, again.unseal("exam", "1", blob)) == ("Asha", b"text")


def test_locking_drops_the_keys(vault: Vault) -> None:
    blob, key = vault.seal("exam", "1", b"text"), vault._data_key
    vault.lock()
    assert key is not None
    assert not any(key)
    assert not vault.unlocked
    for action in (lambda: vault.seal("a", "b", b""), lambda: vault.unseal("exam", "1", blob), vault.operators):
        with pytest.raises(VaultLockedError):
            action()
    vault.lock()


def test_an_existing_vault_is_never_replaced(vault: Vault) -> None:
    assert is_set_up(vault.folder)
    with pytest.raises(VaultExistsError):
        Vault.create(vault.folder, OTHER_PIN, "thief", cost=CHEAP)
    assert Vault.unlock(vault.folder, PIN).operator == "Asha"


def test_a_wrong_pin_opens_nothing_and_is_counted(vault: Vault) -> None:
    for wait in (0, 0, 5):
        with pytest.raises(WrongPinError) as caught:
            Vault.unlock(vault.folder, OTHER_PIN)
        assert caught.value.wait_s == pytest.approx(wait, abs=1)
    assert pin_wait_s(vault.folder) > 0
    with pytest.raises(PinDelayError):  # even the right one is not looked at
        Vault.unlock(vault.folder, PIN)


def test_the_right_pin_after_two_wrong_ones_clears_the_count(vault: Vault) -> None:
    for _ in range(4):
        for _ in range(2):
            with pytest.raises(WrongPinError):
                Vault.unlock(vault.folder, OTHER_PIN)
        Vault.unlock(vault.folder, PIN)


def test_a_try_is_counted_before_it_is_made(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("device.records.keys.pin.PinCost.derive", power_cut)
    for _ in range(attempts.FREE_TRIES):
        with pytest.raises(KeyboardInterrupt):
            Vault.unlock(vault.folder, OTHER_PIN)
    assert pin_wait_s(vault.folder) > 0


def test_a_new_pin_replaces_the_old_one_and_rewrites_no_record(vault: Vault) -> None:
    blob = vault.seal("exam", "1", b"text")
    vault.change_pin(PIN, OTHER_PIN)
    assert vault.unseal("exam", "1", blob) == b"text"
    with pytest.raises(WrongPinError):
        Vault.unlock(vault.folder, PIN)
    again = Vault.unlock(vault.folder, OTHER_PIN)
    assert again.unseal("exam", "1", blob) == b"text"
    assert again.operators() == ("Asha",)


def test_changing_needs_the_old_pin_and_a_good_new_one(vault: Vault) -> None:
    with pytest.raises(WrongPinError):
        vault.change_pin("000001", OTHER_PIN)
    with pytest.raises(WeakPinError):
        vault.change_pin(PIN, "111111")
    assert Vault.unlock(vault.folder, PIN).operator == "Asha"


def test_every_operator_has_a_pin_and_a_name(vault: Vault) -> None:
    vault.add_operator("Bibi", OTHER_PIN)
    assert vault.operators() == ("Asha", "Bibi")
    assert Vault.unlock(vault.folder, OTHER_PIN).operator == "Bibi"
    assert Vault.unlock(vault.folder, PIN).operator == "Asha"
    vault.remove_operator("Bibi")
    with pytest.raises(WrongPinError):
        Vault.unlock(vault.folder, OTHER_PIN)


def test_two_operators_cannot_share_a_pin(vault: Vault) -> None:
    with pytest.raises(PinTakenError):
        vault.add_operator("Bibi", PIN)
    vault.add_operator("Bibi", OTHER_PIN)
    with pytest.raises(PinTakenError):
        vault.change_pin(OTHER_PIN, PIN)
    assert vault.operators() == ("Asha", "Bibi")


def test_the_last_operator_stays(vault: Vault) -> None:
    with pytest.raises(LastOperatorError):
        vault.remove_operator("Asha")


@pytest.mark.parametrize("pin", ["123456", "12345", ""])
def test_weak_pins_are_refused_at_setting_up(tmp_path: Path, pin: str) -> None:
    with pytest.raises(WeakPinError):
        Vault.create(tmp_path / "records", pin, "Asha", cost=CHEAP)
    assert not is_set_up(tmp_path / "records")


def test_the_clinic_recovers_a_forgotten_pin_and_others_keep_theirs(tmp_path: Path) -> None:
    private = new_private_key()
    made = Vault.create(tmp_path, PIN, "Asha", clinic_public_key=HpkeOpener(private).public_key, cost=CHEAP)
    made.add_operator("Bibi", OTHER_PIN)
    blob = made.seal("exam", "1", b"text")
    made.lock()
    again = Vault.recover(tmp_path, private, "555001", "Asha")
    assert again.unseal("exam", "1", blob) == b"text"
    assert Vault.unlock(tmp_path, "555001").operator == "Asha"
    assert Vault.unlock(tmp_path, OTHER_PIN).operator == "Bibi"
    with pytest.raises(WrongPinError):
        Vault.unlock(tmp_path, PIN)


def test_recovery_ends_the_wait_after_wrong_pins(tmp_path: Path) -> None:
    private = new_private_key()
    Vault.create(tmp_path, PIN, "Asha", clinic_public_key=HpkeOpener(private).public_key, cost=CHEAP)
    for _ in range(attempts.FREE_TRIES):
        with pytest.raises(WrongPinError):
            Vault.unlock(tmp_path, OTHER_PIN)
    Vault.recover(tmp_path, private, "555001", "Asha")
    assert Vault.unlock(tmp_path, "555001").unlocked


@pytest.mark.parametrize(
    "key", [new_private_key(), b"", b"short", bytes(32)], ids=["another", "none", "short", "zeros"]
)
def test_another_key_recovers_nothing(tmp_path: Path, key: bytes) -> None:
    Vault.create(tmp_path, PIN, "Asha", clinic_public_key=HpkeOpener(new_private_key()).public_key, cost=CHEAP)
    with pytest.raises(RecoveryKeyError):
        Vault.recover(tmp_path, key, "555001", "thief")
    assert Vault.unlock(tmp_path, PIN).operator == "Asha"


def test_without_a_clinic_there_is_no_recovery_until_one_is_enrolled(vault: Vault) -> None:
    private = new_private_key()
    with pytest.raises(RecoveryKeyError):
        Vault.recover(vault.folder, private, "555001", "Asha")
    vault.set_clinic_key(HpkeOpener(private).public_key)
    assert Vault.recover(vault.folder, private, "555001", "Asha").unlocked


def test_a_card_in_another_handheld_opens_with_the_clinics_key_only(tmp_path: Path) -> None:
    private, other = new_private_key(), os.urandom(32)
    made = Vault.create(
        tmp_path, PIN, "Asha", clinic_public_key=HpkeOpener(private).public_key, device_secret=SECRET, cost=CHEAP
    )
    blob = made.seal("exam", "1", b"text")
    for wrong in (None, other):
        with pytest.raises(OtherDeviceError):
            Vault.unlock(tmp_path, PIN, device_secret=wrong)
    moved = Vault.recover(tmp_path, private, OTHER_PIN, "Bibi", device_secret=other)
    assert moved.unseal("exam", "1", blob) == b"text"
    assert moved.operators() == ("Bibi",)
    assert Vault.unlock(tmp_path, OTHER_PIN, device_secret=other).operator == "Bibi"
    with pytest.raises(OtherDeviceError):
        Vault.unlock(tmp_path, PIN, device_secret=SECRET)


def test_the_device_secret_is_part_of_the_key_and_not_only_asked_for(tmp_path: Path) -> None:
    Vault.create(tmp_path, PIN, "Asha", device_secret=SECRET, cost=CHEAP)
    raw = json.loads(key_file_path(tmp_path).read_bytes())
    raw["device_check"] = None  # a thief edits the check away
    key_file_path(tmp_path).write_text(json.dumps(raw), "utf-8")
    with pytest.raises(WrongPinError):
        Vault.unlock(tmp_path, PIN)


def test_hardware_that_gets_a_secret_later_still_opens_its_records(vault: Vault) -> None:
    assert Vault.unlock(vault.folder, PIN, device_secret=SECRET).operator == "Asha"


def test_pins_can_be_changed_on_hardware_with_a_secret(tmp_path: Path) -> None:
    made = Vault.create(tmp_path, PIN, "Asha", device_secret=SECRET, cost=CHEAP)
    made.change_pin(PIN, OTHER_PIN)
    assert Vault.unlock(tmp_path, OTHER_PIN, device_secret=SECRET).operator == "Asha"


def test_after_a_restart_only_hardware_with_a_secret_sends_while_locked(tmp_path: Path, vault: Vault) -> None:
    sealed = vault.sealer().seal("x", b"file")
    assert locked_opener(vault.folder, None) is None
    assert locked_opener(vault.folder, SECRET) is None  # these keys were made without one
    bound = Vault.create(tmp_path / "bound", PIN, "Asha", device_secret=SECRET, cost=CHEAP)
    sealed = bound.sealer().seal("x", b"file")
    bound.lock()
    opener = locked_opener(bound.folder, SECRET)
    assert opener is not None
    assert opener.open("x", sealed) == b"file"
    assert locked_opener(bound.folder, None) is None
    with pytest.raises(OtherDeviceError):
        locked_opener(bound.folder, os.urandom(32))


def test_the_uploaders_key_outlives_the_lock_and_opens_no_record(vault: Vault) -> None:
    opener, sealed, record = vault.opener(), vault.sealer().seal("x", b"file"), vault.seal("exam", "1", b"text")
    vault.lock()
    assert opener.open("x", sealed) == b"file"
    assert b"text" not in record
    with pytest.raises(VaultLockedError):
        vault.opener()


def test_a_swapped_record_is_noticed(vault: Vault) -> None:
    with pytest.raises(RecordDamagedError):
        vault.unseal("exam", "2", vault.seal("exam", "1", b"text"))


def edit_keys(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "vault.json"
    keys = json.loads(path.read_text())
    change(keys)
    path.write_text(json.dumps(keys))


def public_text() -> str:
    return base64.b64encode(HpkeOpener(new_private_key()).public_key).decode()


@pytest.mark.parametrize("opened_before", [True, False])
@pytest.mark.parametrize("half", ["upload", "clinic"])
def test_a_public_key_that_was_put_in_place_of_ours_is_noticed(tmp_path: Path, half: str, opened_before: bool) -> None:
    private = new_private_key()
    vault = Vault.create(tmp_path, PIN, "Asha", clinic_public_key=HpkeOpener(private).public_key, cost=CHEAP)
    if opened_before:
        Store.open(tmp_path, vault, limits=LIMITS).close()
    Vault.unlock(tmp_path, PIN).lock()
    edit_keys(tmp_path, lambda keys: keys[half].update(public=public_text()))
    with pytest.raises(VaultChangedError):
        Vault.unlock(tmp_path, PIN)
    with pytest.raises(VaultChangedError):
        Vault.recover(tmp_path, private, OTHER_PIN, "Bibi")


def test_a_clinic_key_without_its_proof_is_noticed_once_there_are_proofs(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path, PIN, "Asha", clinic_public_key=HpkeOpener(new_private_key()).public_key, cost=CHEAP)
    edit_keys(tmp_path, lambda keys: keys["clinic"].update(proof=None))
    Vault.unlock(tmp_path, PIN).lock()  # as a key file of the version before
    Store.open(tmp_path, vault, limits=LIMITS).close()
    edit_keys(tmp_path, lambda keys: keys["clinic"].update(public=public_text(), proof=None))
    with pytest.raises(VaultChangedError):
        Vault.unlock(tmp_path, PIN)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, '{"format": 1e999}', "\ufeff{}"])
def test_an_odd_key_file_is_a_damaged_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "vault.json").write_text(content)
    with pytest.raises(VaultDamagedError):
        Vault.unlock(tmp_path, PIN)


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"failures": 9e999}', '{"failures": 1, "boot": "", "since_boot_s": NaN}']
)
def test_an_odd_counter_of_tries_costs_a_delay_only(tmp_path: Path, content: str) -> None:
    Vault.create(tmp_path, PIN, "Asha", cost=CHEAP).lock()
    (tmp_path / "attempts.json").write_text(content)
    assert 0 <= pin_wait_s(tmp_path) <= 900  # none where the boot was long ago
