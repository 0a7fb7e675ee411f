//! Trust reports over small documents.
