# SPDX-License-Identifier: Apache-2.0
"""The worklist: which exams wait, for whom, and how they stand."""
