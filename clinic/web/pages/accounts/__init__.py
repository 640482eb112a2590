# SPDX-License-Identifier: Apache-2.0
"""Who may use the pages: signing in, invitations, passwords, people."""
