//! Moves a legacy chat into CometChat.
