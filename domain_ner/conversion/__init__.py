"""From what annotation tools export to passages and documents, with an account of every annotation."""
