//! How often a fault was tried and what it cost: lines that `./dev torture` gathers into a table.

/// A few tries where every change is tested, many in the long run.
pub(crate) fn tries(few: usize, many: usize) -> usize {
    if torture() { many } else { few }
}

/// The long form of the tests.
pub(crate) fn torture() -> bool {
    std::env::var_os("DAZNODE_TORTURE").is_some_and(|v| v == "1")
}

/// So many tries, and nothing that was announced is gone: what is lost ends a test before it comes here.
pub(crate) fn survived(fault: &str, tries: usize) {
    tell(fault, tries, 0);
}

/// So many tries, and so many that lost something.
pub(crate) fn tell(fault: &str, tries: usize, lost: usize) {
    eprintln!("\ntally: {fault} | {tries} | {lost}");
}
