//! CometChat's Data Import API as the destination.
