//! The chat simulator and its page: a program of its own that speaks to the bot over the wire only.
