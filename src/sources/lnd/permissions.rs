//! What a macaroon permits, held against what daznode needs: reading, and nothing else.

use std::collections::BTreeMap;

use super::errors::harmless;
use crate::sources::answers::{GET_INFO, GET_STATE, METHODS, Method, STREAMS};

/// Operations, each an entity and an action. `uri` is an entity too; its actions are methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions(Vec<(String, String)>);

/// What LND asks for each method that daznode calls, apart from `GetState`, for which it asks nothing.
const NEEDS: [(&str, &str); 26] = [
    ("/verrpc.Versioner/GetVersion", "info"),
    ("/lnrpc.Lightning/GetInfo", "info"),
    ("/lnrpc.Lightning/ListChannels", "offchain"),
    ("/lnrpc.Lightning/PendingChannels", "offchain"),
    ("/lnrpc.Lightning/ClosedChannels", "offchain"),
    ("/lnrpc.Lightning/WalletBalance", "onchain"),
    ("/lnrpc.Lightning/ChannelBalance", "offchain"),
    ("/lnrpc.Lightning/ListUnspent", "onchain"),
    ("/lnrpc.Lightning/ListPeers", "peers"),
    ("/lnrpc.Lightning/FeeReport", "offchain"),
    ("/lnrpc.Lightning/ForwardingHistory", "offchain"),
    ("/lnrpc.Lightning/ListPayments", "offchain"),
    ("/lnrpc.Lightning/ListInvoices", "invoices"),
    ("/lnrpc.Lightning/GetTransactions", "onchain"),
    ("/walletrpc.WalletKit/ListSweeps", "onchain"),
    ("/walletrpc.WalletKit/EstimateFee", "onchain"),
    ("/lnrpc.Lightning/GetNetworkInfo", "info"),
    ("/lnrpc.Lightning/GetNodeInfo", "info"),
    ("/lnrpc.Lightning/DescribeGraph", "info"),
    ("/lnrpc.Lightning/VerifyChanBackup", "offchain"),
    ("/wtclientrpc.WatchtowerClient/Stats", "offchain"),
    ("/wtclientrpc.WatchtowerClient/ListTowers", "offchain"),
    ("/routerrpc.Router/SubscribeHtlcEvents", "offchain"),
    ("/lnrpc.Lightning/SubscribeChannelEvents", "offchain"),
    ("/lnrpc.Lightning/SubscribePeerEvents", "peers"),
    ("/lnrpc.Lightning/SubscribeChannelGraph", "info"),
];

/// Methods that daznode does not call and that only read, so that a macaroon which permits them too does no harm.
const READING: [&str; 39] = [
    "/lnrpc.Lightning/GetRecoveryInfo",
    "/lnrpc.Lightning/GetChanInfo",
    "/lnrpc.Lightning/GetNodeMetrics",
    "/lnrpc.Lightning/QueryRoutes",
    "/lnrpc.Lightning/LookupInvoice",
    "/lnrpc.Lightning/LookupHtlcResolution",
    "/lnrpc.Lightning/DecodePayReq",
    "/lnrpc.Lightning/EstimateFee",
    "/lnrpc.Lightning/VerifyMessage",
    "/lnrpc.Lightning/ListAliases",
    "/lnrpc.Lightning/ListPermissions",
    "/lnrpc.Lightning/ListMacaroonIDs",
    "/lnrpc.Lightning/CheckMacaroonPermissions",
    "/lnrpc.Lightning/ExportChannelBackup",
    "/lnrpc.Lightning/ExportAllChannelBackups",
    "/lnrpc.Lightning/SubscribeTransactions",
    "/lnrpc.Lightning/SubscribeInvoices",
    "/lnrpc.Lightning/SubscribeChannelBackups",
    "/lnrpc.State/SubscribeState",
    "/invoicesrpc.Invoices/SubscribeSingleInvoice",
    "/invoicesrpc.Invoices/LookupInvoiceV2",
    "/routerrpc.Router/QueryMissionControl",
    "/routerrpc.Router/GetMissionControlConfig",
    "/routerrpc.Router/QueryProbability",
    "/routerrpc.Router/TrackPayments",
    "/routerrpc.Router/TrackPaymentV2",
    "/walletrpc.WalletKit/ListUnspent",
    "/walletrpc.WalletKit/ListAccounts",
    "/walletrpc.WalletKit/ListAddresses",
    "/walletrpc.WalletKit/PendingSweeps",
    "/walletrpc.WalletKit/RequiredReserve",
    "/walletrpc.WalletKit/GetTransaction",
    "/chainrpc.ChainKit/GetBlock",
    "/chainrpc.ChainKit/GetBlockHeader",
    "/chainrpc.ChainKit/GetBestBlock",
    "/chainrpc.ChainKit/GetBlockHash",
    "/wtclientrpc.WatchtowerClient/GetTowerInfo",
    "/wtclientrpc.WatchtowerClient/Policy",
    "/watchtowerrpc.Watchtower/GetInfo",
];

impl Permissions {
    pub(super) const fn new(operations: Vec<(String, String)>) -> Self {
        Self(operations)
    }

    /// What it permits beyond reading, in words: `offchain (write)`, `macaroon (generate, write)`, or a method.
    pub fn beyond_reading(&self) -> Vec<String> {
        let mut entities: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut methods = Vec::new();
        for (entity, action) in &self.0 {
            if entity == "uri" {
                let known = called().any(|method| method.path == action) || READING.contains(&action.as_str());
                if !known {
                    methods.push(harmless(action));
                }
            } else if action != "read" {
                entities.entry(entity).or_default().push(action);
            }
        }
        let mut all: Vec<String> =
            entities.iter().map(|(entity, actions)| harmless(&format!("{entity} ({})", actions.join(", ")))).collect();
        all.append(&mut methods);
        all
    }

    /// Which methods that reports are made from it does not permit.
    pub fn missing(&self) -> Vec<&'static Method> {
        METHODS.iter().copied().filter(|method| !self.permits(method)).collect()
    }

    /// Which methods that `daznode watch` follows it does not permit.
    pub fn missing_streams(&self) -> Vec<&'static Method> {
        STREAMS.iter().copied().filter(|method| !self.permits(method)).collect()
    }

    /// Without this there is no report at all.
    pub fn permits_get_info(&self) -> bool {
        self.permits(&GET_INFO)
    }

    fn permits(&self, method: &Method) -> bool {
        let has = |entity: &str, action: &str| self.0.iter().any(|(e, a)| e == entity && a == action);
        let by_entity = || NEEDS.iter().any(|(path, entity)| *path == method.path && has(entity, "read"));
        method == &GET_STATE || has("uri", method.path) || by_entity()
    }
}

/// Every method that daznode calls.
fn called() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().chain(&STREAMS).copied()
}

/// The command that makes a macaroon with exactly what daznode calls.
pub fn bake_command() -> String {
    let mut command = String::from("lncli bakemacaroon --save_to daznode.macaroon");
    // `GetState` needs no permission, and LND knows none for it.
    for method in called().filter(|method| *method != &GET_STATE) {
        command.push_str(" uri:");
        command.push_str(method.path);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(operations: &[(&str, &str)]) -> Permissions {
        Permissions::new(operations.iter().map(|(e, a)| ((*e).to_owned(), (*a).to_owned())).collect())
    }

    #[test]
    fn every_method_that_is_called_has_its_need() {
        for method in called() {
            assert!(method == &GET_STATE || NEEDS.iter().any(|(path, _)| *path == method.path), "{}", method.path);
        }
        assert_eq!(NEEDS.len(), called().count() - 1);
    }

    #[test]
    fn a_macaroon_baked_by_our_command_permits_all_and_nothing_beyond() {
        let command = bake_command();
        let baked: Vec<(&str, &str)> =
            command.split(' ').filter_map(|word| word.strip_prefix("uri:")).map(|path| ("uri", path)).collect();
        assert_eq!(baked.len(), 26);
        let baked = of(&baked);
        assert!(baked.missing().is_empty() && baked.missing_streams().is_empty());
        assert!(baked.beyond_reading().is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let names = |permissions: &Permissions| permissions.missing().iter().map(|m| m.name()).collect::<Vec<_>>();
        let some = of(&[("info", "read"), ("offchain", "read"), ("peers", "read"), ("invoices", "read")]);
        assert_eq!(names(&some), ["WalletBalance", "ListUnspent", "GetTransactions", "ListSweeps", "EstimateFee"]);
        assert!(some.permits_get_info());
        assert!(!of(&[("offchain", "read")]).permits_get_info());
        // Writing does not include reading.
        assert!(!of(&[("info", "write")]).permits_get_info());
    }

    #[test]
    fn streams_that_are_not_permitted_are_no_lack_of_a_report() {
        let of_reports: Vec<(&str, &str)> = METHODS.iter().map(|method| ("uri", method.path)).collect();
        let permissions = of(&of_reports);
        assert!(permissions.missing().is_empty());
        assert_eq!(permissions.missing_streams(), STREAMS);
        let reading = of(&[("info", "read"), ("offchain", "read")]);
        assert_eq!(reading.missing_streams().iter().map(|m| m.name()).collect::<Vec<_>>(), ["SubscribePeerEvents"]);
    }

    #[test]
    fn methods_that_change_anything_are_beyond_reading() {
        let many = of(&[
            ("uri", "/lnrpc.Lightning/GetInfo"),
            ("uri", "/lnrpc.Lightning/GetChanInfo"),
            ("uri", "/lnrpc.Lightning/SendCoins"),
            ("offchain", "read"),
            ("macaroon", "generate"),
            ("macaroon", "write"),
        ]);
        assert_eq!(many.beyond_reading(), ["macaroon (generate, write)", "/lnrpc.Lightning/SendCoins"]);
    }
}
