//! The watcher, top to bottom: what a timer of once a day can't see.
//!
//! The only file that knows what the watcher does when, as `daily` does for the day's run.
