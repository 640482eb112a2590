# SPDX-License-Identifier: Apache-2.0
"""Signing in by the clinic's own provider of accounts (OpenID Connect), beside the passwords of the pages."""
