# SPDX-License-Identifier: Apache-2.0
"""Upload a picture, look at it, have the handheld's model predict, and send it to the archive like a handheld's."""
