# SPDX-License-Identifier: Apache-2.0
"""Who may read the records: PIN, data key, wrapped keys, and what a stolen card does not give away.

``vault.Vault`` is the door. ``pin`` makes a key of a PIN (slowly, on purpose), ``attempts`` counts the wrong ones,
``key_file`` and ``key_wrapping`` hold the one data key once for each way in, ``aead`` seals rows and files under it,
and ``hpke`` seals what waits for the clinic. ``store_mark`` ties the key file to its database.
``docs/threat-model.md`` says against whom.
"""
