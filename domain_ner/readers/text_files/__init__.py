"""Text, XML and HTML from elsewhere, decoded and bounded; knows no format."""
