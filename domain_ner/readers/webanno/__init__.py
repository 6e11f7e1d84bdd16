"""WebAnno and INCEpTION: their TSV, and UIMA CAS as XMI and JSON."""
