# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from device.problems import in_words


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: str = Field(min_length=8)


class _Whole(BaseModel):
    inner: _Inner
    sizes: list[int] = []

    @model_validator(mode="after")
    def _never_thirteen(self) -> _Whole:
        if 13 in self.sizes:
            raise ValueError("thirteen is not allowed")
        return self


def problems(values: object) -> str:
    with pytest.raises(ValidationError) as caught:
        _Whole.model_validate(values)
    return in_words(caught.value, "the manifest")


def test_a_problem_is_said_with_its_key_and_without_its_value() -> None:
    said = problems({"inner": {"password": "s3cret", "x": 1}})
    assert said.startswith("inner.password: String should have at least 8 characters; inner.x: ")
    assert "s3cret" not in said


def test_a_problem_of_no_single_key_names_the_whole() -> None:
    said = problems({"inner": {"password": "long enough"}, "sizes": [13]})
    assert said == "the manifest: Value error, thirteen is not allowed"


def test_a_file_full_of_problems_still_gives_one_short_line() -> None:
    said = problems({"inner": {"password": "long enough"}, "sizes": ["x"] * 10_000})
    assert said.startswith("sizes.0: ")
    assert len(said) < 2_000
