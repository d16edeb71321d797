//! A stand-in for CometChat: the same endpoints, limits, errors and oddities.
