# SPDX-License-Identifier: Apache-2.0
"""The fonts that screens and reports are written with.

``files`` knows which files each script needs and where they are; ``shaping`` draws a line of mixed scripts on a
surface, for the screens; ``printed`` finds further fonts for what people wrote, for the report.
"""
