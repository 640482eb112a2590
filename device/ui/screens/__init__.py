"""One screen a file. Every screen derives from ``device.ui.screen.Screen``."""
