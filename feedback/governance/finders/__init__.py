"""One module per family of personal data; each yields (start, end) spans of the text that it is given."""
