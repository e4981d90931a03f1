//! Why LND failed a forward itself: the code that it sends back along the route, and a detail that it tells only us.

use crate::snapshot::FailureReason;

/// Names of `FailureDetail`, by number.
const DETAILS: [&str; 28] = [
    "UNKNOWN",
    "NO_DETAIL",
    "ONION_DECODE",
    "LINK_NOT_ELIGIBLE",
    "ON_CHAIN_TIMEOUT",
    "HTLC_EXCEEDS_MAX",
    "INSUFFICIENT_BALANCE",
    "INCOMPLETE_FORWARD",
    "HTLC_ADD_FAILED",
    "FORWARDS_DISABLED",
    "INVOICE_CANCELED",
    "INVOICE_UNDERPAID",
    "INVOICE_EXPIRY_TOO_SOON",
    "INVOICE_NOT_OPEN",
    "MPP_INVOICE_TIMEOUT",
    "ADDRESS_MISMATCH",
    "SET_TOTAL_MISMATCH",
    "SET_TOTAL_TOO_LOW",
    "SET_OVERPAID",
    "UNKNOWN_INVOICE",
    "INVALID_KEYSEND",
    "MPP_IN_PROGRESS",
    "CIRCULAR_ROUTE",
    "INVOICE_ALREADY_SETTLED",
    "HTLC_INVOICE_TYPE_MISMATCH",
    "AMP_ERROR",
    "AMP_RECONSTRUCTION",
    "EXTERNAL_VALIDATION_FAILED",
];

/// Names of `FailureCode`, by number.
const CODES: [&str; 26] = [
    "RESERVED",
    "INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS",
    "INCORRECT_PAYMENT_AMOUNT",
    "FINAL_INCORRECT_CLTV_EXPIRY",
    "FINAL_INCORRECT_HTLC_AMOUNT",
    "FINAL_EXPIRY_TOO_SOON",
    "INVALID_REALM",
    "EXPIRY_TOO_SOON",
    "INVALID_ONION_VERSION",
    "INVALID_ONION_HMAC",
    "INVALID_ONION_KEY",
    "AMOUNT_BELOW_MINIMUM",
    "FEE_INSUFFICIENT",
    "INCORRECT_CLTV_EXPIRY",
    "CHANNEL_DISABLED",
    "TEMPORARY_CHANNEL_FAILURE",
    "REQUIRED_NODE_FEATURE_MISSING",
    "REQUIRED_CHANNEL_FEATURE_MISSING",
    "UNKNOWN_NEXT_PEER",
    "TEMPORARY_NODE_FAILURE",
    "PERMANENT_NODE_FAILURE",
    "PERMANENT_CHANNEL_FAILURE",
    "EXPIRY_TOO_FAR",
    "MPP_TIMEOUT",
    "INVALID_ONION_PAYLOAD",
    "INVALID_ONION_BLINDING",
];

/// What a failure of our own means.
pub(super) const fn reason(code: u64, detail: u64) -> FailureReason {
    match detail {
        6 => FailureReason::Balance,
        // 3: the peer is gone, or the channel is being closed. 8: the channel did not take it: its peer was away for a
        // minute, or it has no slot or no exposure left.
        3 | 8 => FailureReason::Offline,
        // Over the largest HTLC; left half done by a restart; no forwards at all; in and out by the same channel.
        5 | 7 | 9 | 22 => FailureReason::Policy,
        0 | 1 => by_code(code),
        // The others are of payments that end here.
        _ => FailureReason::Unknown,
    }
}

/// Where LND gives no detail.
const fn by_code(code: u64) -> FailureReason {
    match code {
        // LND takes a channel out of its switch when the peer goes, and then knows no way there.
        18 | 21 => FailureReason::Offline,
        // The onion, fee, size or expiry were not what we ask for; without a detail, 15 is too much exposure to fees.
        6..=17 | 19 | 20 | 22 | 24 | 25 => FailureReason::Policy,
        _ => FailureReason::Unknown,
    }
}

/// LND's own word: the detail, or the code where there is none.
pub(super) fn word(code: u64, detail: u64) -> String {
    let name = |names: &[&str], number: u64| {
        usize::try_from(number).ok().and_then(|n| names.get(n).copied().map(str::to_owned))
    };
    if detail > 1 {
        name(&DETAILS, detail).unwrap_or_else(|| format!("detail {detail}"))
    } else {
        name(&CODES, code).unwrap_or_else(|| format!("code {code}"))
    }
}
