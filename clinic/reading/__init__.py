# SPDX-License-Identifier: Apache-2.0
"""What readers do with an exam: claim, read blind, decide, disagree, adjudicate; and what becomes of it.

A *reading* is one reader's work on one exam: a category before the model's result is shown (blind), and a decision
after. Two readings that disagree (``rules``) go to a third reader, the adjudicator. The last decision becomes a report
in the archive (``report``, ``write_back``), a signed *verdict* for the handheld (``verdicts``), and, where the patient
should come back, an entry of ``follow_up``. ``policy`` is what a clinic can choose, ``agreement`` what it can learn.

Knows nothing of web pages. Everything that changes an exam goes through ``desk``, in one transaction with its audit
entry, and against the version that the reader saw: begin there.
"""
