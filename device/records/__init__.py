"""What is kept: exams with their views and findings, encrypted, and safe against a power cut at any moment."""
