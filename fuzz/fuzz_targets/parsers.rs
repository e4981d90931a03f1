//! The parsers of `tests/mutations/targets.rs` under libFuzzer. `DAZNODE_TARGET` names one; without it the first byte of an
//! input says which.

#![no_main]
#![allow(dead_code, reason = "the corpus and the words are for the ordinary tests")]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/mutations/targets.rs"]
mod targets;

static CHOSEN: LazyLock<Option<&targets::Target>> = LazyLock::new(|| {
    let name = std::env::var("DAZNODE_TARGET").ok()?;
    Some(targets::TARGETS.iter().find(|target| target.name == name).expect("DAZNODE_TARGET names a parser of the table"))
});

fuzz_target!(|input: &[u8]| {
    if let Some(target) = *CHOSEN {
        (target.run)(input);
    } else if let Some((which, rest)) = input.split_first() {
        (targets::TARGETS[usize::from(*which) % targets::TARGETS.len()].run)(rest);
    }
});
