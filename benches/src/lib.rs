//! Generated chats and the questions asked of them.
