"""What the screens look like: colours, lengths, fonts, text. Used by every widget, knows nothing of the program."""
