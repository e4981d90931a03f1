//! A node that does not exist, in a network that may: seeded, deterministic, no connection anywhere.
//!
//! A [`World`] is a network, made up or read from a real graph. A [`Sim`] is one node that lives in it day by day: people
//! want to send payments through it ([`Model`] says how many and at what price), channels run dry, peers go and come,
//! the chain has its price. An operator's acts ([`SimAct`]) change what becomes of it, not what chance brings: a clone
//! that is treated otherwise meets the same payments. It knows nothing of the rules that are proved on it.
//!
//! [`Simulated`] is one such node with a story, as a source: it feeds `daznode demo`.

mod act;
mod chain;
mod demand;
mod described;
mod dice;
mod flow;
mod kind;
mod life;
mod made_up;
mod market;
mod model;
mod peer;
mod story;
mod view;
mod world;

pub use act::{Done, SimAct};
pub use described::WorldError;
pub use kind::Kind;
pub use life::{Sim, SimChannel, Totals};
pub use model::{Model, Taste};
pub use story::Simulated;
pub use world::{Figures, World};

#[cfg(test)]
mod tests;
