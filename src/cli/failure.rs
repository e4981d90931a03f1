//! What a command failed with: one line for people, one exit code for units.

use crate::exit::Code;
use crate::{config, sources, store, units};

/// A failure whose exit code the command itself chose.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    code: Code,
    message: String,
}

/// A failure with this exit code.
pub(crate) fn fail(code: Code, message: impl Into<String>) -> anyhow::Error {
    Failure { code, message: message.into() }.into()
}

/// A wrong argument.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    fail(Code::Usage, message)
}

/// The exit code of whatever went wrong.
pub(crate) fn code(error: &anyhow::Error) -> Code {
    error.chain().find_map(code_of).unwrap_or(Code::Failed)
}

fn code_of(error: &(dyn std::error::Error + 'static)) -> Option<Code> {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return Some(failure.code);
    }
    if let Some(error) = error.downcast_ref::<store::Error>() {
        return Some(of_store(error));
    }
    if let Some(error) = error.downcast_ref::<sources::Error>() {
        return Some(of_source(error));
    }
    (error.is::<config::Error>() || error.is::<units::ParseError>()).then_some(Code::Usage)
}

fn of_store(error: &store::Error) -> Code {
    match error.exit() {
        5 => Code::Store,
        2 => Code::Usage,
        _ => Code::Failed,
    }
}

/// The exit code for a node that can't be read.
pub(crate) fn of_source(error: &sources::Error) -> Code {
    match error {
        _ if error.is_credentials() => Code::Credentials,
        sources::Error::Setup(_) => Code::Usage,
        _ => Code::Failed,
    }
}

/// What went wrong and why, the innermost cause last. What an error says of its cause itself is not said again.
pub(crate) fn words(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        before if before.contains(&cause) => told,
        before => format!("{before}: {cause}"),
    })
}

/// Whether it is only that nobody reads our output any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_innermost_known_error_decides() {
        let newer = store::Error::Newer { path: "/x".into(), found: 99, known: 1 };
        assert_eq!(code(&Err::<(), _>(newer).context("status").unwrap_err()), Code::Store);
        let refused = sources::Error::Macaroon { reason: "expired".to_owned() };
        assert_eq!(code(&refused.into()), Code::Credentials);
        assert_eq!(code(&"02".parse::<units::Pubkey>().unwrap_err().into()), Code::Usage);
        assert_eq!(code(&anyhow::anyhow!("else")), Code::Failed);
        assert_eq!(code(&fail(Code::Locked, "held")), Code::Locked);
    }

    #[test]
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("disk I/O error");
        let error = store::Error::Io { what: "write", path: "/x".into(), source };
        assert_eq!(words(&error.into()), "write /x: disk I/O error");
        let other = anyhow::anyhow!("connection refused").context("ask the node");
        assert_eq!(words(&other), "ask the node: connection refused");
    }

    #[test]
    fn a_reader_that_has_gone_is_told_from_other_errors() {
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::from(pipe).context("print")));
        assert!(!is_broken_pipe(&std::io::Error::from(std::io::ErrorKind::NotFound).into()));
    }
}
