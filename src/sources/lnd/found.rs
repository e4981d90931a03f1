//! An LND that is found on this machine by its folder: `tls.cert`, the read-only macaroons, and where it listens.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::address::{Address, DEFAULT_PORT};
use crate::units::Network;

/// An LND whose files were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundNode {
    /// Its folder.
    pub folder: PathBuf,
    /// Where it listens, as its `lnd.conf` says, else `localhost:10009`.
    pub address: Address,
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its chain.
    pub network: Network,
    /// Its read-only macaroon.
    pub macaroon: PathBuf,
}

const NETWORKS: [Network; 5] = [Network::Mainnet, Network::Testnet, Network::Signet, Network::Regtest, Network::Simnet];

/// The folders in which LND and the usual node boxes keep their files. `home` is the user's home.
pub fn usual_folders(home: Option<&Path>) -> Vec<PathBuf> {
    let at_home = [".lnd", "umbrel/app-data/lightning/data/lnd"];
    let mut folders: Vec<PathBuf> =
        home.into_iter().flat_map(|home| at_home.iter().map(|folder| home.join(folder))).collect();
    for folder in [
        "/var/lib/lnd",
        "/var/lib/lnd/.lnd",
        "/home/lnd/.lnd",
        "/home/bitcoin/.lnd",
        "/data/lnd",
        "/mnt/hdd/lnd",
        "/home/umbrel/umbrel/app-data/lightning/data/lnd",
        "/embassy-data/package-data/volumes/lnd/data/main",
    ] {
        folders.push(folder.into());
    }
    folders
}

/// Every node in these folders, one for each chain that has a read-only macaroon; the folders' order, mainnet first.
pub fn find(folders: &[PathBuf]) -> Vec<FoundNode> {
    folders.iter().flat_map(|folder| in_folder(folder)).collect()
}

/// The nodes in one folder.
pub fn in_folder(folder: &Path) -> Vec<FoundNode> {
    let settings = Settings::read(folder);
    let certificate = settings.certificate.unwrap_or_else(|| folder.join("tls.cert"));
    if !certificate.is_file() {
        return Vec::new();
    }
    let data = settings.data.unwrap_or_else(|| folder.join("data"));
    let usual = |network: Network| data.join("chain/bitcoin").join(network.as_str()).join("readonly.macaroon");
    NETWORKS
        .into_iter()
        .map(|network| (network, usual(network)))
        .filter(|(_, macaroon)| macaroon.is_file())
        .map(|(network, macaroon)| FoundNode {
            folder: folder.to_owned(),
            address: settings.address.clone(),
            certificate: certificate.clone(),
            network,
            macaroon,
        })
        .collect()
}

/// What of `lnd.conf` matters here.
struct Settings {
    address: Address,
    certificate: Option<PathBuf>,
    data: Option<PathBuf>,
}

impl Settings {
    fn read(folder: &Path) -> Self {
        let mut text = Vec::new();
        if let Ok(file) = File::open(folder.join("lnd.conf")) {
            // What can't be read leaves the defaults, which are right for most.
            let _ = file.take(1 << 20).read_to_end(&mut text);
        }
        Self::parse(&String::from_utf8_lossy(&text))
    }

    fn parse(text: &str) -> Self {
        let default = Address::Tcp { host: "localhost".to_owned(), port: DEFAULT_PORT };
        let mut settings = Self { address: default, certificate: None, data: None };
        let mut listening = false;
        for line in text.lines() {
            let Some((name, value)) = line.split_once('=') else { continue };
            let value = value.trim();
            match name.trim() {
                // LND listens at each; the first does.
                "rpclisten" if !listening => {
                    if let Some(address) = dialled(value) {
                        settings.address = address;
                        listening = true;
                    }
                }
                "tlscertpath" if value.starts_with('/') => settings.certificate = Some(value.into()),
                "datadir" if value.starts_with('/') => settings.data = Some(value.into()),
                _ => {}
            }
        }
        settings
    }
}

/// The address to dial for one that LND listens at: all interfaces means this machine too.
fn dialled(listens: &str) -> Option<Address> {
    if let Some(path) = listens.strip_prefix("unix://").or_else(|| listens.strip_prefix("unix:")) {
        return format!("unix://{path}").parse().ok();
    }
    let listens = listens.strip_prefix("tcp://").unwrap_or(listens);
    if listens.bytes().all(|b| b.is_ascii_digit()) {
        return format!("localhost:{listens}").parse().ok();
    }
    if let Some(port) = listens.strip_prefix(':') {
        return format!("localhost:{port}").parse().ok();
    }
    let address: Address = listens.parse().ok()?;
    Some(match address {
        Address::Tcp { host, port } if host == "0.0.0.0" || host == "::" => {
            Address::Tcp { host: "localhost".to_owned(), port }
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn put(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_folder_with_its_files_is_a_node_for_each_chain() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(&[folder.path().to_owned()]), []);
        put(folder.path(), "data/chain/bitcoin/regtest/readonly.macaroon", "x");
        put(folder.path(), "data/chain/bitcoin/mainnet/readonly.macaroon", "x");
        put(folder.path(), "data/chain/bitcoin/testnet/admin.macaroon", "x");
        assert_eq!(find(&[folder.path().to_owned()]), [], "no certificate yet");
        put(folder.path(), "tls.cert", "x");
        let found = find(&["/no/such/folder".into(), folder.path().to_owned()]);
        let networks: Vec<_> = found.iter().map(|node| node.network).collect();
        assert_eq!(networks, [Network::Mainnet, Network::Regtest]);
        assert_eq!(found[0].address.to_string(), "localhost:10009");
        assert_eq!(found[1].macaroon, folder.path().join("data/chain/bitcoin/regtest/readonly.macaroon"));
    }

    #[test]
    fn lnd_conf_says_where_it_listens_and_where_its_files_are() {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        put(data.path(), "chain/bitcoin/signet/readonly.macaroon", "x");
        put(data.path(), "my.cert", "x");
        let place = data.path().display();
        put(
            folder.path(),
            "lnd.conf",
            &format!(
                "[Application Options]\n; rpclisten=1.1.1.1:1\n rpclisten = 0.0.0.0:10011\nrpclisten=unix:///x\ntlscertpath={place}/my.cert\ndatadir={place}\n"
            ),
        );
        let found = in_folder(folder.path());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].address.to_string(), "localhost:10011");
        assert_eq!(found[0].certificate, data.path().join("my.cert"));
        assert_eq!(found[0].network, Network::Signet);
    }

    #[test]
    fn every_form_of_rpclisten_leads_to_an_address_to_dial() {
        for (listens, dialled_at) in [
            ("10008", "localhost:10008"),
            (":10008", "localhost:10008"),
            ("0.0.0.0:10008", "localhost:10008"),
            ("[::]:10008", "localhost:10008"),
            ("192.168.1.2:10008", "192.168.1.2:10008"),
            ("localhost", "localhost:10009"),
            ("unix:///run/lnd.sock", "unix:///run/lnd.sock"),
            ("unix:/run/lnd.sock", "unix:///run/lnd.sock"),
        ] {
            assert_eq!(dialled(listens).unwrap().to_string(), dialled_at, "{listens}");
        }
        assert_eq!(Settings::parse("rpclisten=a b\nrpclisten=").address.to_string(), "localhost:10009");
        // Nonsense is passed over.
        assert_eq!(dialled("a b"), None);
    }

    #[test]
    fn the_users_own_folder_is_looked_at_first() {
        let folders = usual_folders(Some(Path::new("/home/bob")));
        assert_eq!(folders[0], Path::new("/home/bob/.lnd"));
        assert!(folders.contains(&"/var/lib/lnd".into()));
        assert!(!usual_folders(None).iter().any(|folder| folder.starts_with("/home/bob")));
    }
}
