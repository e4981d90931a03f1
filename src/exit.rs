//! The exit codes, in one place. Units and monitors rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Code {
    /// All is well.
    #[default]
    Fine,
    /// It failed, also when only some of several nodes did: trying again can help.
    Failed,
    /// Wrong arguments or settings: nothing was contacted or written.
    Usage,
    /// Every report is made, some with gaps.
    Partial,
    /// The node refuses the credentials, or they are not safe to use.
    Credentials,
    /// The store is damaged, or of a newer version.
    Store,
    /// Another run holds the lock.
    Locked,
    /// Stopped from outside.
    Interrupted,
}

impl Code {
    /// The number that the process ends with.
    pub const fn number(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Credentials => 4,
            Self::Store => 5,
            Self::Locked => 11,
            Self::Interrupted => 130,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_the_units_name() {
        let all = [Code::Fine, Code::Failed, Code::Usage, Code::Partial, Code::Credentials, Code::Store, Code::Locked];
        assert_eq!(all.map(Code::number), [0, 1, 2, 3, 4, 5, 11]);
        assert_eq!(Code::Interrupted.number(), 130);
    }
}
