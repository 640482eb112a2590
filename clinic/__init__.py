"""What a clinic runs: a real DICOM archive (Orthanc) with the handhelds as its only senders, on one machine.

Nothing here is part of the handheld, and nothing here imports it: the two meet over DICOMweb and an enrolment file.
"""
