//! Sends what is in the outbox: by mail, to chats, to programs. Dials out, as `sources` does, and through its guard.
