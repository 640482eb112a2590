# SPDX-License-Identifier: Apache-2.0
"""What the screens look like: colours, lengths, fonts, text. Used by every widget, knows nothing of the program.

Two palettes (light for sunshine, dark) name every colour by its use; text is shaped for every script of the five
languages, and text that does not fit its place is noted, so that tests find it.
"""
