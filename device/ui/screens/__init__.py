# SPDX-License-Identifier: Apache-2.0
"""One screen a file. Every screen derives from ``device.ui.screen.Screen``."""
