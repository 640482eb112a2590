# SPDX-License-Identifier: Apache-2.0
"""What a clinic watches itself by: agreement, and the audit trail."""
