# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from device.records.keys.pin import PinCost, is_weak


@pytest.mark.parametrize("pin", ["", "12345", "000000", "99999999", "123456", "345678", "987654", "543210", "7" * 65])
def test_the_first_guesses_of_anybody_are_refused(pin: str) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", ["482913", "a long sentence"])
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


WEAK = (
    "246810 369121 510152 142536 102938 415263 258025 123456"
    " 121212 112233 123123 111112 000001 123457 password qwerty 123321 654321 012345 098765 987654 246802 135791 789456"
    " 147258 159357 abc123 qwerty1 passw0rd P@ssw0rd Password1 asdfgh 1q2w3e4r 199012 010190 241285 20240101 19901990"
    " 12341234 aabbcc 11223344 696969 999998 1qaz2wsx zxcvbn 123654 112211 123456a 101010 admin123 222333"
)


@pytest.mark.parametrize("pin", WEAK.split())
def test_what_is_tried_first_is_weak(pin: str) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", ["\u0661\u0662\u0663\u0664\u0665\u0666", "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_digits_of_other_scripts_are_no_way_round(pin: str) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", ["482913", "493817", "274913", "865034", "739153028461", "kettle harbour", "mw7-plum"])
def test_others_are_taken(pin: str) -> None:
    assert not is_weak(pin)


def test_most_pins_of_six_digits_are_left() -> None:
    assert sum(is_weak(f"{number:06d}") for number in range(0, 1_000_000, 101)) < 1_000_000 / 101 / 8
