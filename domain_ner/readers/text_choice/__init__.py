"""Which of several texts of a row the spans lie on, told from all rows of a file."""
