# SPDX-License-Identifier: Apache-2.0
"""Copies are made of the same records that the store's own tests use."""

from __future__ import annotations

from tests.device.records.conftest import device as device
from tests.device.records.conftest import watch as watch
