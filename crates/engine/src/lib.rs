//! Runs views and flows on DataFusion.
