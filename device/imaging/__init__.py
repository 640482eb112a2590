"""From the frame to what is looked at: sonogram, model input, enhancement views, picture quality."""
