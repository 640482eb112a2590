# SPDX-License-Identifier: Apache-2.0
"""What handhelds ask the clinic for: verdicts on their exams, and who is planned for today."""
