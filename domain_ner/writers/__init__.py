"""Writers of annotations: from passages to files of annotation tools and other trainers. One module a format."""
