//! State that most links do not have, in one allocation that such links lack.

use super::backlog::Backlog;
use super::channel::Channel;
use super::close::Closing;
use super::latest::Pace;
use super::pong::Pongs;
use super::rate::Rate;
use super::{Changes, Compression, Waiting};
use crate::error::Failure;
use crate::session::Session;
use crate::work::Moment;

/// Where the state is kept. Allocated when it is first changed, and freed by `shrink`.
#[derive(Default)]
pub(super) struct Rare(Option<Box<State>>);

/// The state.
#[derive(Default)]
pub(super) struct State {
    /// Bytes read and not yet decoded, because the budget was exhausted.
    pub(super) backlog: Backlog,
    /// State of the rate limits; `None`: none are set.
    pub(super) rate: Option<Box<Rate>>,
    /// Messages to be encoded, after which `Link::outbox` takes them. While there are any, every new message is queued
    /// here. `None`: there are none.
    pub(super) waiting: Option<Box<Waiting>>,
    /// Why writing failed. Bytes that have arrived are still read before the link ends.
    pub(super) write_failure: Option<Box<Failure>>,
    /// State of answering pings; `None`: none has arrived, or all answers have left.
    pub(super) pongs: Option<Box<Pongs>>,
    /// permessage-deflate (RFC 7692); `None`: not negotiated.
    pub(super) compression: Option<Box<Compression>>,
    /// The control channel; `None`: not asked for.
    pub(super) channel: Option<Box<Channel>>,
    /// The session; `None`: the link has none.
    pub(super) session: Option<Box<Session>>,
    /// How fast messages leave that newer ones replace; `None`: none were put to this link.
    pub(super) pace: Option<Box<Pace>>,
    /// When a probe was sent that nothing has answered.
    pub(super) probed: Option<Moment>,
    /// `None`: no close is in progress.
    pub(super) closing: Option<Box<Closing>>,
    /// Changes since the last `take_changes`; `None`: no change.
    pub(super) changes: Option<Box<Changes>>,
}

impl State {
    #[inline(never)]
    fn unencoded(&self) -> (usize, usize) {
        let (mut messages, mut bytes) =
            self.waiting.as_ref().map_or((0, 0), |waiting| (waiting.len(), waiting.bytes()));
        // Nothing of the session is handed to the link before it is agreed on.
        if let Some(session) = &self.session
            && self.channel.as_ref().is_none_or(|channel| channel.is_greeted())
        {
            let (more, payloads) = session.unhanded();
            messages += more;
            // Each counts a byte at least, so that a queue that is not empty never has 0 bytes.
            bytes += payloads.max(more);
        }
        (messages, bytes)
    }

    fn are_all_none(&self) -> bool {
        let State { backlog, rate, waiting, write_failure, pongs, compression, channel, session, probed, .. } = self;
        let State { closing, changes, .. } = self;
        let sends = waiting.is_some() || write_failure.is_some() || pongs.is_some() || channel.is_some();
        let receives = !backlog.is_empty() || rate.is_some() || compression.is_some();
        !sends && !receives && session.is_none() && probed.is_none() && closing.is_none() && changes.is_none()
    }
}

impl Rare {
    /// The state, to be changed. Allocates it.
    #[inline]
    pub(super) fn state(&mut self) -> &mut State {
        self.0.get_or_insert_default()
    }

    /// The state, if there is any.
    #[inline]
    pub(super) fn get_mut(&mut self) -> Option<&mut State> {
        self.0.as_deref_mut()
    }

    /// Whether a message is neither compressed nor kept in a session, nor has to wait behind others; `None`: a close is in progress, so none is
    /// accepted.
    #[inline]
    pub(super) fn puts_plainly(&self) -> Option<bool> {
        match &self.0 {
            None => Some(true),
            Some(state) if state.closing.is_some() => None,
            Some(state) => Some(state.compression.is_none() && state.waiting.is_none() && state.session.is_none()),
        }
    }

    /// Whether there are bytes read and not yet decoded.
    #[inline]
    pub(super) fn has_backlog(&self) -> bool {
        self.0.as_ref().is_some_and(|state| !state.backlog.is_empty())
    }

    /// Heap bytes of the backlog.
    pub(super) fn backlog_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |state| state.backlog.heap_bytes())
    }

    #[inline]
    pub(super) fn rate(&self) -> Option<&Rate> {
        self.0.as_ref()?.rate.as_deref()
    }

    #[inline]
    pub(super) fn waiting(&self) -> Option<&Waiting> {
        self.0.as_ref()?.waiting.as_deref()
    }

    #[inline]
    pub(super) fn write_failure(&self) -> Option<&Failure> {
        self.0.as_ref()?.write_failure.as_deref()
    }

    #[inline]
    pub(super) fn pongs(&self) -> Option<&Pongs> {
        self.0.as_ref()?.pongs.as_deref()
    }

    #[inline]
    pub(super) fn compression(&self) -> Option<&Compression> {
        self.0.as_ref()?.compression.as_deref()
    }

    #[inline]
    pub(super) fn channel(&self) -> Option<&Channel> {
        self.0.as_ref()?.channel.as_deref()
    }

    /// Whether there are such messages.
    #[inline]
    pub(super) fn has_unencoded(&self) -> bool {
        let waits = |state: &State| state.waiting.is_some() || (state.session.is_some() && state.unencoded().0 > 0);
        self.0.as_deref().is_some_and(waits)
    }

    /// Whether a newer message may take the place of the next one that is encoded.
    #[inline]
    pub(super) fn begins_with_latest(&self) -> bool {
        let begins = |state: &State| match (&state.waiting, &state.session) {
            (Some(waiting), _) => waiting.begins_with_latest(),
            (None, Some(session)) => session.begins_with_latest(),
            (None, None) => false,
        };
        self.0.as_deref().is_some_and(begins)
    }

    /// Whether there may be timers other than the heartbeat's, or a close.
    #[inline]
    pub(super) fn may_have_timers(&self) -> bool {
        self.0.is_some()
    }

    #[inline]
    pub(super) fn pace(&self) -> Option<&Pace> {
        self.0.as_ref()?.pace.as_deref()
    }

    #[inline]
    pub(super) fn probed(&self) -> Option<Moment> {
        self.0.as_ref()?.probed
    }

    #[inline]
    pub(super) fn session(&self) -> Option<&Session> {
        self.0.as_ref()?.session.as_deref()
    }

    #[inline]
    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        self.0.as_mut()?.session.as_deref_mut()
    }

    /// Number and bytes of the messages that are not encoded: those in `State::waiting`, and those that the session has
    /// not handed to the link.
    #[inline]
    pub(super) fn unencoded(&self) -> (usize, usize) {
        self.0.as_ref().map_or((0, 0), |state| state.unencoded())
    }

    #[inline]
    pub(super) fn closing(&self) -> Option<&Closing> {
        self.0.as_ref()?.closing.as_deref()
    }

    #[inline]
    pub(super) fn changes(&self) -> Option<&Changes> {
        self.0.as_ref()?.changes.as_deref()
    }

    /// Frees memory that an idle link does not need.
    pub(super) fn shrink(&mut self) {
        let Some(state) = self.get_mut() else { return };
        if let Some(compression) = &mut state.compression {
            compression.shrink(state.waiting.is_none());
        }
        state.backlog.shrink();
        if let Some(session) = &mut state.session {
            session.shrink();
        }
        if state.are_all_none() {
            self.0 = None;
        }
    }
}
