# SPDX-License-Identifier: Apache-2.0
"""Who is to come back, what came of it, and who is planned for today."""
