"""Where frames come from: one driver a file, all of them a ``FrameSource``."""
