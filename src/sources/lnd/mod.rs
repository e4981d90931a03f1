//! LND over gRPC: how it is found, reached, and asked, and what its refusals mean.

pub mod address;
pub mod certificate;
mod channel;
mod dial;
pub mod errors;
pub mod follow;
pub mod found;
pub mod macaroon;
mod open;
pub mod permissions;
pub mod uri;

pub use channel::{Connection, Options, Trust};
pub use open::{Judged, Opened, Surroundings, follower, judge, open, options};
