# SPDX-License-Identifier: Apache-2.0
"""The clinic's word on an exam for a health record: an HL7 FHIR R4 transaction, sent to a server or exported.

What a resource looks like is in ``resources``, what belongs together in ``bundle``, how it gets there in ``sending``.
Shapes follow IHE RAD.IMR and HL7's breast radiology guide, as far as R4 has what they use.
"""
