# SPDX-License-Identifier: Apache-2.0
"""The store: exams and views in an encrypted database, pixels in encrypted files beside it.

``store.Store`` writes and ``reader.ExamReader`` reads; both stand on ``state.StoreState``, which holds the database,
the ``blobs`` and the log together in one transaction. ``schema`` has the tables and the rules that even a faulty
program cannot break, ``rows`` and ``codec`` turn values into sealed rows, ``space`` keeps room for finalising,
``retention`` lets exams go that the clinic has.
"""
