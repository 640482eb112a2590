"""The public data sets in their official layouts, each read by one module into the same kind of ``Sample``."""
