from __future__ import annotations

import pytest

from device.records.pin import PinCost, is_weak


@pytest.mark.parametrize("pin", ["", "12345", "000000", "99999999", "123456", "345678", "987654", "543210", "7" * 65])
def test_the_first_guesses_of_anybody_are_refused(pin: str) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", ["482913", "112233", "a long sentence", "0" * 5 + "1"])
def test_other_pins_are_taken(pin: str) -> None:
    assert not is_weak(pin)


def test_argon2id_as_in_rfc_9106() -> None:
    # The reference implementation's answer (argon2 -id -t 2 -m 16 -p 1 -l 32, salt "somesalt", "password").
    expected = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
    assert PinCost(2, 65536, 1).derive("password", b"somesalt").hex() == expected


def test_pin_salt_and_every_parameter_matter() -> None:
    results = {
        PinCost(1, 8).derive("482913", bytes(16)),
        PinCost(1, 8).derive("482914", bytes(16)),
        PinCost(1, 8).derive("482913", bytes(15) + b"1"),
        PinCost(2, 8).derive("482913", bytes(16)),
        PinCost(1, 16).derive("482913", bytes(16)),
    }
    assert len(results) == 5


@pytest.mark.parametrize("values", [(0, 8, 1), (65, 8, 1), (1, 4, 1), (1, 1 << 30, 1), (1, 8, 0)])
def test_parameters_that_would_eat_the_device_are_refused(values: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        PinCost(*values)


def test_tuning_stays_between_its_bounds() -> None:
    assert PinCost.tuned(target_s=0.0).iterations == 3
    assert PinCost.tuned(target_s=1000.0).iterations == 16
    assert PinCost.tuned(target_s=0.0).memory_kib == 64 * 1024
