//! The pipeline file: from text to a plan.
