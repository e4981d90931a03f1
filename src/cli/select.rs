//! Which of the stored profiles a command means.

use super::failure::usage;
use super::text;
use crate::store::{Profile, ProfileFilter, Store};
use crate::units::Pubkey;

/// The options that say which nodes are meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Which {
    /// Only profiles of this user
    #[arg(long, value_name = "ID", value_parser = id)]
    pub(super) user: Option<String>,
    /// Only profiles of this tenant
    #[arg(long, value_name = "ID", value_parser = id)]
    pub(super) tenant: Option<String>,
}

/// A user's or tenant's id: it names a folder, so it can't be a path.
pub(super) fn id(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
    if first && rest && text.len() <= 63 {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 63 lower-case letters, digits, dashes and underscores, the first a letter or digit"
            .to_owned())
    }
}

/// A node as people name it. Whatever is meant as a whole pubkey must be one.
pub(super) fn node(text: &str) -> Result<String, String> {
    let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
    if text.is_empty() {
        return Err("expected a pubkey, the first digits of one (4 or more), or an alias".to_owned());
    }
    if (hex && text.len() > 40) || (text.len() > 60 && text.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return text.parse::<Pubkey>().map(String::from).map_err(|e| format!("expected {}", e.form));
    }
    Ok(text.to_owned())
}

impl Which {
    fn filter(&self, node: Option<&str>, enabled_only: bool) -> ProfileFilter {
        ProfileFilter {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            node: node.map(str::to_owned),
            enabled_only,
        }
    }

    /// All profiles that are meant.
    pub(super) fn all(&self, store: &Store, enabled_only: bool) -> anyhow::Result<Vec<Profile>> {
        Ok(store.profiles(&self.filter(None, enabled_only))?)
    }

    /// The profiles of one node: at least one.
    pub(super) fn of_node(&self, store: &Store, node: &str) -> anyhow::Result<Vec<Profile>> {
        let found = store.profiles(&self.filter(Some(node), false))?;
        if found.is_empty() {
            let message = format!("no profile matches {:?}: `daznode status` lists them", text::line(node));
            return Err(usage(message));
        }
        Ok(found)
    }

    /// The one profile that is meant.
    pub(super) fn one(&self, store: &Store, node: Option<&str>) -> anyhow::Result<Profile> {
        let mut found = match node {
            Some(node) => self.of_node(store, node)?,
            None => self.all(store, false)?,
        };
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                found.push(last);
                Err(usage(format!("{} profiles are meant, name one: {}", found.len(), names(&found))))
            }
            (None, _) => Err(usage("there is no profile yet: `daznode enable` makes one")),
        }
    }
}

/// A profile in a few words.
pub(super) fn name(profile: &Profile) -> String {
    let alias = text::line(&profile.alias);
    let alias = if alias.is_empty() { "(no alias)".to_owned() } else { alias };
    format!("{alias} {}", profile.pubkey.short())
}

/// The first few profiles, each as it could be named.
fn names(profiles: &[Profile]) -> String {
    let mut words: Vec<String> = profiles
        .iter()
        .take(5)
        .map(|p| format!("{} ({})", p.pubkey.as_str().get(..12).unwrap_or_default(), name_and_user(p)))
        .collect();
    if profiles.len() > 5 {
        words.push(format!("{} more in `daznode status`", profiles.len() - 5));
    }
    words.join(", ")
}

fn name_and_user(profile: &Profile) -> String {
    format!("{} of --user {}", text::line(&profile.alias), profile.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_be_no_path_option_or_hidden_file() {
        for bad in
            ["", "../x", "..", "/abs", "a/b", "-rf", ".hidden", "a b", "A", "é", "a\n", "a\0", "%2e%2e", "_a", "a／b"]
        {
            assert!(id(bad).is_err(), "{bad:?}");
        }
        assert!(id(&"a".repeat(64)).is_err());
        for good in ["a", "alice", "0", "a_b-c9", &"a".repeat(63)] {
            assert_eq!(id(good).as_deref(), Ok(good));
        }
    }

    #[test]
    fn what_is_meant_as_a_pubkey_must_be_one() {
        let key = format!("02{}", "a".repeat(64));
        assert_eq!(node(&key), Ok(key.clone()));
        for bad in [
            key.to_uppercase(),
            format!("04{}", "a".repeat(64)),
            key[..65].to_owned(),
            format!("{key}a"),
            key.replace('a', "z"),
        ] {
            assert!(node(&bad).unwrap_err().starts_with("expected 66"), "{bad}");
        }
        for fine in ["bob", "02aa", "Tall Pines Routing", "⚡ node"] {
            assert_eq!(node(fine).as_deref(), Ok(fine));
        }
    }
}
