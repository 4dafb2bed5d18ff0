//! The sessions of a server (docs/control-channel.md): clients that ask for one, lose their link, and come back on
//! another one.

use super::client::count;
use super::{FIRST_CLIENT, Handles, Server, Slot};
use crate::codes::*;
use crate::error::Failure;
use crate::link::Claim;
use crate::names::MAX_LOST;
use crate::net::Stream;
use crate::protocol::{Request, SessionId, read_question};
use crate::session::Terms;
use crate::status::{Cause, Phase};
use crate::work::Cx;
use mio::{Interest, Token};
use std::collections::{BTreeMap, HashMap};

/// The sessions.
#[derive(Default)]
pub(super) struct Sessions {
    /// What is offered; `None`: no sessions are kept.
    pub(super) terms: Option<Terms>,
    /// Which client has a session: its key.
    keys: HashMap<SessionId, u32>,
    /// The sessions of clients, by key.
    ids: HashMap<u32, SessionId>,
    /// Clients that have lost their link: their keys, in the order of the loss.
    lost: BTreeMap<u64, u32>,
    /// The place of each in that order.
    places: HashMap<u32, u64>,
    /// Number of losses since the start.
    losses: u64,
}

impl Sessions {
    /// Number of clients that have lost their link.
    pub(super) fn lost(&self) -> usize {
        self.lost.len()
    }

    /// Key of the client that lost its link first, of those that have none.
    pub(super) fn first_lost(&self) -> Option<u32> {
        self.lost.first_key_value().map(|(_, key)| *key)
    }

    fn is_lost(&self, key: u32) -> bool {
        self.places.contains_key(&key)
    }

    fn lose(&mut self, key: u32) {
        self.losses += 1;
        self.lost.insert(self.losses, key);
        self.places.insert(key, self.losses);
    }

    /// The client has another link, or has ended.
    fn find(&mut self, key: u32) {
        if let Some(place) = self.places.remove(&key) {
            self.lost.remove(&place);
        }
    }

    fn add(&mut self, id: SessionId, key: u32) {
        self.keys.insert(id, key);
        self.ids.insert(key, id);
    }

    fn remove(&mut self, key: u32) {
        if let Some(id) = self.ids.remove(&key) {
            self.keys.remove(&id);
        }
    }
}

impl Server {
    /// From now on clients are offered sessions.
    pub fn keep_sessions(&mut self, terms: Terms) {
        self.sessions.terms = Some(terms);
    }

    /// Whether a request comes from a client that has a session here. It has a seat, and is not asked about again.
    pub(super) fn comes_back(&self, request: &Request) -> bool {
        let Some(channel) = self.settings.accept.channel.as_ref().filter(|channel| channel.session) else {
            return false;
        };
        let question = read_question(&request.query).filter(|_| request.opening.is_some());
        question.and_then(|question| question.node).is_some_and(|node| node == *channel.node)
    }

    /// Decides on a client's request for a session.
    pub(super) fn take_claim(&mut self, cx: &mut Cx<'_>, key: u32, handles: &dyn Handles) {
        let Some(client) = self.client(key) else { return };
        let (claim, comes_back) = (client.peer.claim().cloned(), client.peer.comes_back());
        let Some(claim) = claim else { return };
        let Some(terms) = self.sessions.terms else { return };
        let id = match &claim {
            Claim::New(new) => new.id,
            Claim::Resume(resume) => resume.id,
        };
        let owner = self.sessions.keys.get(&id).copied().filter(|owner| *owner != key);
        let known = owner.and_then(|owner| {
            let peer = &mut self.client(owner)?.peer;
            let again = match &claim {
                Claim::New(new) => peer.accept_again(new, cx.now),
                Claim::Resume(resume) => peer.accept_resume(resume, cx.now),
            };
            Some((owner, again?))
        });
        match (known, claim) {
            (Some((owner, again)), _) => self.resume(cx, key, owner, again),
            (None, Claim::New(new)) if owner.is_none() && !comes_back => {
                self.sessions.add(id, key);
                self.act_on_claim(cx, key, handles, |peer, cx| peer.grant(cx, &new, terms));
            }
            (None, _) => self.act_on_claim(cx, key, handles, |peer, cx| peer.refuse_claim(cx)),
        }
    }

    fn act_on_claim(
        &mut self,
        cx: &mut Cx<'_>,
        key: u32,
        handles: &dyn Handles,
        act: impl FnOnce(&mut crate::connection::Connection, &mut Cx<'_>),
    ) {
        if let Some(client) = self.client(key) {
            act(&mut client.peer, cx);
            self.take_changes(cx, key, Some(handles));
        }
    }

    /// The link of the new client `from` continues the session of the client `key`.
    fn resume(&mut self, cx: &mut Cx<'_>, from: u32, key: u32, again: u64) {
        // It ends here, and is no client that was turned away.
        self.leave_pending(from);
        self.ended(from);
        let Some(client) = self.client(from) else { return };
        let Some(mut link) = client.peer.take_link() else { return };
        let mut info = std::mem::take(&mut client.peer.endpoint.info);
        let interest = Interest::READABLE | Interest::WRITABLE;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let interest = interest | Interest::PRIORITY;
        let token = Token(FIRST_CLIENT + key as usize);
        let registry = self.listening.poll.registry();
        let is_watched = match link.stream_mut().and_then(Stream::tcp) {
            Some(tcp) => registry.reregister(tcp, token, interest).is_ok(),
            None => false,
        };
        self.move_address(key, |of_client| of_client.move_to(&mut info));
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        client.peer.resume(cx, link, again);
        self.sessions.find(key);
        if !is_watched {
            let why = "the system has no resources to watch its socket";
            client.peer.leave_link(cx, Failure::new(Phase::Tcp, Cause::Resources, why));
        }
        client.readable = true;
        client.set_timer(key, cx.now, &mut self.queues);
        self.queues.ready.push(key);
        self.watch_line(key);
        self.take_changes(cx, key, None);
    }

    /// Changes the address of a connected client, and counts it there.
    fn move_address(&mut self, key: u32, change: impl FnOnce(&mut crate::endpoint::Info)) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        let before = self.settings.limited(client.address());
        change(&mut client.peer.endpoint.info);
        let after = self.settings.limited(client.address());
        count(&mut self.counts.per_address, before, |there| there.connected -= 1);
        count(&mut self.counts.per_address, after, |there| there.connected += 1);
    }

    /// After a change of a client, which may have lost its link. If too many have, the session that was lost first ends.
    pub(super) fn note_lost(&mut self, cx: &mut Cx<'_>, key: u32) {
        let Some(Slot::Client(client)) = self.slots.get_mut(key as usize) else { return };
        if !client.peer.has_lost_session() || self.sessions.is_lost(key) {
            return;
        }
        client.set_timer(key, cx.now, &mut self.queues);
        self.sessions.lose(key);
        self.end_oldest_lost(cx);
    }

    fn end_oldest_lost(&mut self, cx: &mut Cx<'_>) {
        let most = self.most_lost();
        while self.sessions.lost() as u64 > most
            && let Some((_, key)) = self.sessions.lost.pop_first()
        {
            self.sessions.find(key);
            let why = format!("more clients have lost their link than {MAX_LOST} allows, and this one for longest");
            let failure = Failure::new(Phase::App, Cause::Session, why);
            self.act(cx, key, |peer, cx| peer.close_because(cx, -1, "", Some(failure)));
        }
    }

    /// Number of clients that may have lost their link: max_lost, or a quarter of max_clients.
    fn most_lost(&self) -> u64 {
        match self.endpoint.options.limit(WS_OPT_MAX_LOST) {
            0 => (self.endpoint.options.limit(WS_OPT_MAX_CLIENTS) / 4).max(1),
            most => most,
        }
    }

    /// Number and bytes of the messages of all sessions that are not acknowledged.
    pub fn unacknowledged(&self) -> [u64; 2] {
        let mut sum = [0; 2];
        for slot in self.slots.iter().filter(|_| self.sessions.terms.is_some()) {
            if let Slot::Client(client) = slot {
                let [messages, bytes] = client.peer.unacknowledged();
                sum = [sum[0] + messages, sum[1] + bytes];
            }
        }
        sum
    }

    /// A client has ended.
    pub(super) fn forget_session(&mut self, key: u32) {
        self.sessions.remove(key);
        self.sessions.find(key);
    }
}
