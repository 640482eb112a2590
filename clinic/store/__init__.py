# SPDX-License-Identifier: Apache-2.0
"""What the clinic's web application keeps beside the archive: accounts, the index of exams, readings, follow-up, audit.

Images and reports are in the archive and nowhere else. The index of exams can be rebuilt from there at any time; the
rest (who read what and when, comments, outcomes) is only here, and is what a clinic backs up. ``database.Store`` opens
SQLite or PostgreSQL and gives transactions, ``schema`` has the tables, ``migrations`` bring an older store up to date,
and ``audit`` is the log that only grows.
"""
