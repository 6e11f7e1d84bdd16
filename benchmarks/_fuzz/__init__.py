"""Of `import_fuzz`: small exports of every format, how they are damaged, and the process that reads them."""
