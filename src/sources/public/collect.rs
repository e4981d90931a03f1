//! What each source is asked about a node.

use super::super::amboss;
use super::super::http::Question;
use super::super::mempool::{self, Told};
use super::super::position::{Position, position};
use super::asking::{Outcome, When};
use super::tally::Tally;
use super::{PublicAnswer, PublicSources, Source};
use crate::snapshot::{ChainFees, Fact, SeenNetwork, SeenNode};
use crate::units::{Network, Pubkey};

impl PublicSources {
    pub(super) async fn collect_mempool(&self, node: &Pubkey, network: Network, when: When) -> PublicAnswer {
        let what = match self.mempool.asked(network) {
            Ok(what) => what,
            Err(off) => return *off,
        };
        let asking = &self.mempool.asking;
        let mut tally = self.tally(&self.mempool);
        let (height, price, network) = (what.ask_height(), what.ask_price(), what.ask_network());
        let (fees, height, price, network) = tokio::join!(
            self.ask_fees(what, when),
            asking.ask(&height, when, |_, body| mempool::height(body)),
            asking.ask(&price, when, |_, body| mempool::price(body)),
            asking.ask(&network, when, mempool::network),
        );
        tally.view.chain_fees = tally.add("mempool.fees", fees);
        tally.view.block_height = tally.add("mempool.height", height);
        tally.view.price = tally.add("mempool.price", price);
        let has_lightning = !matches!(network.told, Some((Told::Nothing(_), _)));
        tally.view.network_by_mempool = tally.add("mempool.network", network);
        if has_lightning {
            let question = what.ask_node(node);
            let seen = asking.ask(&question, when, |status, body| mempool::node(status, body, node)).await;
            let seen = tally.add("mempool.node", seen);
            tally.note_unknown(seen.as_ref());
            tally.view.seen_by_mempool = seen;
        } else {
            tally.not_asked.push(("mempool.node".to_owned(), "it has no Lightning pages".to_owned()));
        }
        self.finish(&self.mempool, tally)
    }

    /// Precise fees, or whole ones from an instance that is too old for them.
    async fn ask_fees(&self, what: &mempool::Mempool, when: When) -> Outcome<ChainFees> {
        let asking = &self.mempool.asking;
        let read = |status, body: &str| match status {
            404 => Ok(Told::Nothing(String::new())),
            _ => mempool::fees(body),
        };
        let precise = asking.ask(&what.ask_fees(), when, read).await;
        if !matches!(precise.told, Some((Told::Nothing(_), _))) {
            return precise;
        }
        asking.ask(&what.ask_fees_whole(), when, |_, body| mempool::fees(body)).await
    }

    pub(super) async fn collect_amboss(&self, node: &Pubkey, network: Network, when: When) -> PublicAnswer {
        let source = &self.amboss;
        let what = match source.asked(network) {
            Ok(what) => what,
            Err(off) => return *off,
        };
        let mut tally = self.tally(source);
        let (card, fees) = (source.with_key(what.ask_node(node)), source.with_key(what.ask_fees(node)));
        let has_key = source.key.is_some();
        let (card, fees) = tokio::join!(
            source.asking.ask(&card, when, |_, body| amboss::node(body, node)),
            source.asking.ask(&fees, when, |_, body| amboss::fees(body, has_key)),
        );
        let seen = tally.add("amboss.node", card);
        tally.view.amboss_fees = tally.add("amboss.fees", fees);
        tally.note_unknown(seen.as_ref());
        tally.view.seen_by_amboss = seen;
        self.finish(source, tally)
    }

    pub(super) async fn collect_remote(&self, node: &Pubkey, network: Network, when: When) -> PublicAnswer {
        let what = match self.remote.asked(network) {
            Ok(what) => what,
            Err(off) => return *off,
        };
        let mut tally = self.tally(&self.remote);
        let place = ask_position(&self.remote, &mut tally, "remote.network", what.ask_node(node), node, when).await;
        (tally.view.seen_by_remote, tally.view.network_by_remote) = place;
        self.finish(&self.remote, tally)
    }

    pub(super) async fn collect_lnrouter(&self, node: &Pubkey, network: Network, when: When) -> PublicAnswer {
        let what = match self.lnrouter.asked(network) {
            Ok(what) => what,
            Err(off) => return *off,
        };
        let mut tally = self.tally(&self.lnrouter);
        let place = ask_position(&self.lnrouter, &mut tally, "lnrouter.network", what.ask_node(node), node, when).await;
        (tally.view.seen_by_lnrouter, tally.view.network_by_lnrouter) = place;
        tally.note("unverified: LNRouter documents no API, so what its answer means is not known");
        self.finish(&self.lnrouter, tally)
    }

    fn tally<T>(&self, source: &Source<T>) -> Tally {
        Tally::new(source.name, source.address.clone(), self.offline)
    }

    fn finish<T>(&self, source: &Source<T>, tally: Tally) -> PublicAnswer {
        tally.finish(&self.http.breaker(&source.address))
    }
}

/// A node's place and the network's size, told in one answer.
async fn ask_position<T>(
    source: &Source<T>,
    tally: &mut Tally,
    part: &str,
    question: Question,
    node: &Pubkey,
    when: When,
) -> (Option<Fact<SeenNode>>, Option<Fact<SeenNetwork>>) {
    let question = source.with_key(question);
    let outcome = source.asking.ask(&question, when, |_, body| position(body, node, when.now)).await;
    let Some(Fact { value: Position { node, network }, source, as_of }) = tally.add(part, outcome) else {
        return (None, None);
    };
    let network = network.map(|value| Fact { value, source: source.clone(), as_of });
    let node = Some(Fact { value: node, source, as_of });
    tally.note_unknown(node.as_ref());
    (node, network)
}
