"""The handheld: from a frame to a finding on a touchscreen, kept safely and sent once."""

__version__ = "0.1.0"
