# SPDX-License-Identifier: Apache-2.0
"""What every page stands on: guards, words, error pages. Nothing here knows of exams.

The guards are ``sign_in`` (who is at the browser), ``csrf`` (no other site may act through it), ``headers``,
``limits`` and ``plain_text``. ``language`` and ``pages`` give templates their words and helpers, ``flash`` carries a
sentence to the next page, and ``errors`` says what went wrong without repeating what was asked for.
"""
