"""Finalised exams on their way to the clinic: DICOM objects, the outbox, and the proof that each arrived."""
