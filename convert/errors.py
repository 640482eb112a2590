# SPDX-License-Identifier: Apache-2.0
"""Errors of the stages that end as one line on standard error; kept apart so that ``--help`` loads nothing heavy."""

from __future__ import annotations


class ConvertError(RuntimeError):
    """What a user can mend; the message says what and how."""


class StageMissingError(ConvertError):
    """A stage was asked for before the one that it builds on; the message names the command to run first."""


class RunFailedError(ConvertError):
    """Runs could not be finished; the message names them and why. What was finished is kept."""


class TargetsMissedError(ConvertError):
    """A bundle does not reach its targets and that was not accepted; the message names them."""
