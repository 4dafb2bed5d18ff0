//! TLS records after the handshake (RFC 8446 section 5, RFC 5246 section 6.2): sealing, opening, and renewing keys and
//! tickets. No I/O.
//!
//! rustls provides the handshake, the keys and the ciphers. This module decides where the bytes are: records are opened
//! in the buffer that they were read into.

use super::keys::{Keys, opener, sealer};
use rustls::crypto::cipher::{
    InboundOpaqueMessage, InboundPlainMessage, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::{
    AlertDescription, ContentType, Error, ExtractedSecrets, HandshakeType, InvalidMessage, PeerMisbehaved,
    ProtocolVersion, SupportedCipherSuite,
};
use std::collections::VecDeque;
use std::io::IoSlice;

/// Maximum plaintext bytes in one record.
const MAX_PLAIN: usize = 16 << 10;
/// Maximum bytes of a record with its header.
pub(super) const MAX_RECORD: usize = HEADER + MAX_BODY;

const HEADER: usize = 5;
/// TLS 1.2 allows a record to grow by 2,048 bytes, TLS 1.3 by 256; the cipher enforces the latter.
const MAX_BODY: usize = MAX_PLAIN + 2_048;
/// Maximum number of records opened in one call: tiny records cost much more than their size suggests.
const MAX_OPENED: usize = 1_024;
/// Maximum bytes of a handshake message after the handshake: these are tickets and key updates.
const MAX_MESSAGE: usize = 64 << 10;
/// How often in a row a peer may do what is legal but useless.
const MAX_EMPTY: u8 = 32;
const MAX_KEY_UPDATES: u8 = 32;
const MAX_WARNINGS: u8 = 4;
const MAX_RENEGOTIATIONS: u8 = 1;

const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// The result of opening records at the start of a buffer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Bytes of plaintext, now at the start of the buffer.
    pub plain: usize,
    /// Bytes of the records that it came from.
    pub used: usize,
}

/// Both directions of one connection.
pub struct Records {
    keys: Keys,
    suite: SupportedCipherSuite,
    sealer: Box<dyn MessageEncrypter>,
    sealed: u64,
    /// Maximum number of records that one key may seal.
    most_sealed: u64,
    opener: Box<dyn MessageDecrypter>,
    opened: u64,
    /// Sealed records, to be sent.
    pub outgoing: Outgoing,
    /// The peer has sent close_notify.
    closed: bool,
    failed: Option<Box<Error>>,
    /// Our last record is queued: a fatal alert or close_notify.
    finished: bool,
    /// Start of an incomplete handshake message.
    message: Vec<u8>,
    owes_key_update: bool,
    tolerated: Tolerated,
}

/// How often in a row the peer did what is legal but useless. Each count has its limit.
#[derive(Default)]
struct Tolerated {
    empty: u8,
    key_updates: u8,
    warnings: u8,
    renegotiations: u8,
}

impl Records {
    /// Continues after a handshake. `closed`: the peer has closed its direction already.
    pub fn new(secrets: ExtractedSecrets, keys: Keys, closed: bool) -> Result<Records, Error> {
        let suite = keys.suite();
        let common = match suite {
            SupportedCipherSuite::Tls13(suite) => &suite.common,
            SupportedCipherSuite::Tls12(suite) => &suite.common,
        };
        Ok(Records {
            suite,
            sealer: sealer(suite, secrets.tx.1)?,
            sealed: secrets.tx.0,
            most_sealed: common.confidentiality_limit.min(u64::MAX - 1_024),
            opener: opener(suite, secrets.rx.1)?,
            opened: secrets.rx.0,
            keys,
            outgoing: Outgoing::default(),
            closed,
            failed: None,
            finished: false,
            message: Vec::new(),
            owes_key_update: false,
            tolerated: Tolerated::default(),
        })
    }

    /// TLS version and cipher suite.
    pub fn describe(&self) -> String {
        format!("{:?} {:?}", self.suite.version().version, self.suite.suite()).replace("TLSv1_", "TLSv1.")
    }

    /// Opens complete records at the start of `buffer`, up to MAX_OPENED, and joins their plaintext. Responses to them
    /// are in `outgoing`. After a failure or the peer's close_notify nothing more is opened.
    pub fn open(&mut self, buffer: &mut [u8]) -> Opened {
        let mut done = Opened::default();
        for _ in 0..MAX_OPENED {
            if self.is_over() {
                done.used = buffer.len();
                break;
            }
            match self.open_record(buffer, &done) {
                Ok(Some(next)) => done = next,
                Ok(None) => break,
                Err(error) => self.fail(error),
            }
        }
        if std::mem::take(&mut self.owes_key_update)
            && let Err(error) = self.renew_sealer()
        {
            self.fail(error);
        }
        done
    }

    /// Seals `plain` in as many records as it needs.
    pub fn seal(&mut self, mut plain: OutboundChunks<'_>) -> Result<(), Error> {
        while !plain.is_empty() {
            let (next, rest) = plain.split_at(MAX_PLAIN);
            // The last record of a key announces the next key.
            if self.sealed + 1 >= self.most_sealed && self.sealed > 0 {
                self.renew_sealer()?;
            }
            self.seal_record(ContentType::ApplicationData, next)?;
            plain = rest;
        }
        Ok(())
    }

    /// Queues close_notify, after which nothing is sealed.
    pub fn close(&mut self) {
        self.alert(WARNING, AlertDescription::CloseNotify);
        self.finished = true;
    }

    /// The failure, if there was one. Nothing is opened after it.
    pub fn failure(&self) -> Option<&Error> {
        self.failed.as_deref()
    }

    /// Whether nothing more will be opened.
    pub fn is_over(&self) -> bool {
        self.closed || self.failed.is_some()
    }

    fn open_record(&mut self, buffer: &mut [u8], done: &Opened) -> Result<Option<Opened>, Error> {
        let Some((typ, version, len)) = header(&buffer[done.used..])? else { return Ok(None) };
        let body = done.used + HEADER;
        let Some(bytes) = buffer.get_mut(body..body + len) else { return Ok(None) };
        let outer = if self.is_tls13() { ContentType::ApplicationData } else { typ };
        if typ != outer || typ == ContentType::ChangeCipherSpec {
            return Err(Error::InappropriateMessage {
                expect_types: vec![ContentType::ApplicationData],
                got_type: typ,
            });
        }
        let before = bytes.as_ptr().addr();
        let InboundPlainMessage { typ, payload, .. } =
            self.opener.decrypt(InboundOpaqueMessage::new(typ, version, bytes), self.opened)?;
        self.opened += 1;
        let next = Opened { used: body + len, ..*done };
        self.count_empty(payload)?;
        if !self.message.is_empty() && typ != ContentType::Handshake {
            return Err(PeerMisbehaved::MessageInterleavedWithHandshakeMessage.into());
        }
        match typ {
            ContentType::ApplicationData => {
                self.tolerated.key_updates = 0;
                let start = body + (payload.as_ptr().addr() - before);
                let range = start..start + payload.len();
                buffer.copy_within(range.clone(), done.plain);
                return Ok(Some(Opened { plain: done.plain + range.len(), ..next }));
            }
            ContentType::Alert => self.take_alert(payload)?,
            ContentType::Handshake => self.take_messages(payload)?,
            typ => {
                return Err(Error::InappropriateMessage {
                    expect_types: vec![ContentType::ApplicationData],
                    got_type: typ,
                });
            }
        }
        Ok(Some(next))
    }

    fn count_empty(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.tolerated.empty = if payload.is_empty() { self.tolerated.empty + 1 } else { 0 };
        if self.tolerated.empty > MAX_EMPTY { Err(PeerMisbehaved::TooManyEmptyFragments.into()) } else { Ok(()) }
    }

    /// Handles an alert. All but two are fatal (RFC 8446 section 6); a warning of TLS 1.2 is not.
    fn take_alert(&mut self, payload: &[u8]) -> Result<(), Error> {
        let &[level, description] = payload else { return Err(InvalidMessage::MessageTooShort.into()) };
        let description = AlertDescription::from(description);
        if description == AlertDescription::CloseNotify {
            self.closed = true;
            return Ok(());
        }
        let harmless = level == WARNING && (!self.is_tls13() || description == AlertDescription::UserCanceled);
        if !harmless {
            return Err(Error::AlertReceived(description));
        }
        self.tolerated.warnings += 1;
        if self.tolerated.warnings > MAX_WARNINGS {
            Err(PeerMisbehaved::TooManyWarningAlertsReceived.into())
        } else {
            Ok(())
        }
    }

    fn take_messages(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.message.extend_from_slice(payload);
        while let &[kind, a, b, c, ..] = self.message.as_slice() {
            let end = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
            if end > MAX_MESSAGE {
                return Err(InvalidMessage::HandshakePayloadTooLarge.into());
            }
            if self.message.len() < end {
                break;
            }
            let rest = self.message.split_off(end);
            let whole = std::mem::replace(&mut self.message, rest);
            self.take_message(kind.into(), &whole[4..])?;
        }
        Ok(())
    }

    fn take_message(&mut self, kind: HandshakeType, body: &[u8]) -> Result<(), Error> {
        match (kind, self.is_tls13(), &mut self.keys) {
            (HandshakeType::KeyUpdate, true, _) => self.take_key_update(body),
            (HandshakeType::NewSessionTicket, true, Keys::Client(keys)) => keys.handle_new_session_ticket(body),
            // Renegotiation is refused (RFC 5246 section 7.2.2).
            (HandshakeType::HelloRequest, false, Keys::Client(_))
            | (HandshakeType::ClientHello, false, Keys::Server(_)) => {
                self.tolerated.renegotiations += 1;
                if self.tolerated.renegotiations > MAX_RENEGOTIATIONS {
                    return Err(PeerMisbehaved::TooManyRenegotiationRequests.into());
                }
                self.alert(WARNING, AlertDescription::NoRenegotiation);
                Ok(())
            }
            (got_type, ..) => {
                Err(Error::InappropriateHandshakeMessage { expect_types: vec![HandshakeType::KeyUpdate], got_type })
            }
        }
    }

    /// Handles a KeyUpdate (RFC 8446 section 4.6.3).
    fn take_key_update(&mut self, body: &[u8]) -> Result<(), Error> {
        let &[requested @ (0 | 1)] = body else { return Err(InvalidMessage::InvalidKeyUpdate.into()) };
        if !self.message.is_empty() {
            return Err(PeerMisbehaved::KeyEpochWithPendingFragment.into());
        }
        self.tolerated.key_updates += 1;
        if self.tolerated.key_updates > MAX_KEY_UPDATES {
            return Err(PeerMisbehaved::TooManyKeyUpdateRequests.into());
        }
        let (opened, secrets) = self.keys.next_opener()?;
        self.opener = opener(self.suite, secrets)?;
        self.opened = opened;
        self.owes_key_update |= requested == 1;
        Ok(())
    }

    /// Announces our next key and switches to it. TLS 1.2 has none: the connection ends.
    fn renew_sealer(&mut self) -> Result<(), Error> {
        if !self.is_tls13() {
            self.close();
            return Err(Error::General(
                "so much was sent that TLS 1.2 has used up its key: connect again, or let the other end offer TLS 1.3"
                    .into(),
            ));
        }
        self.seal_record(
            ContentType::Handshake,
            OutboundChunks::Single(&[u8::from(HandshakeType::KeyUpdate), 0, 0, 1, 0]),
        )?;
        let (sealed, secrets) = self.keys.next_sealer()?;
        self.sealer = sealer(self.suite, secrets)?;
        self.sealed = sealed;
        Ok(())
    }

    fn seal_record(&mut self, typ: ContentType, payload: OutboundChunks<'_>) -> Result<(), Error> {
        if self.finished {
            return Err(Error::EncryptError);
        }
        let plain = if typ == ContentType::ApplicationData { payload.len() } else { 0 };
        // Both TLS versions have this version in the header of a record.
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        let record = self.sealer.encrypt(message, self.sealed)?;
        self.sealed += 1;
        self.outgoing.push(record.encode(), plain);
        Ok(())
    }

    fn alert(&mut self, level: u8, description: AlertDescription) {
        // Fails only if the cipher can seal no more.
        let _ = self.seal_record(ContentType::Alert, OutboundChunks::Single(&[level, description.into()]));
    }

    /// Queues the alert that reports a failure to the peer. Nothing more is opened.
    fn fail(&mut self, error: Error) {
        if let Some(description) = reason(&error) {
            self.alert(FATAL, description);
        }
        self.finished = true;
        self.failed = Some(Box::new(error));
    }

    fn is_tls13(&self) -> bool {
        matches!(self.suite, SupportedCipherSuite::Tls13(_))
    }
}

/// Whether `bytes` begin with a complete record, or with an invalid one.
pub fn begins_whole(bytes: &[u8]) -> bool {
    match header(bytes) {
        Ok(Some((_, _, len))) => bytes.len() >= HEADER + len,
        Ok(None) => false,
        Err(_) => true,
    }
}

/// Sealed records to be written to the socket.
#[derive(Default)]
pub struct Outgoing {
    records: VecDeque<Record>,
    /// Number of bytes of the first record that were sent.
    head: usize,
    /// Plaintext bytes in the records that were sent completely, since the handshake.
    left: u64,
}

/// A sealed record, and how many bytes of the program's plaintext it holds.
struct Record {
    bytes: Vec<u8>,
    plain: usize,
}

impl Outgoing {
    /// Whether everything was sent.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The next bytes to send, for one system call.
    pub fn slices<const MOST: usize>(&self) -> ([IoSlice<'_>; MOST], usize) {
        let mut slices = [IoSlice::new(&[]); MOST];
        let mut count = 0;
        for (slice, record) in slices.iter_mut().zip(&self.records) {
            *slice = IoSlice::new(&record.bytes[if count == 0 { self.head } else { 0 }..]);
            count += 1;
        }
        (slices, count)
    }

    /// Accounts for `count` bytes that were sent.
    pub fn advance(&mut self, count: usize) {
        self.head += count;
        while let Some(Record { bytes, plain }) = self.records.front()
            && bytes.len() <= self.head
        {
            self.head -= bytes.len();
            self.left += *plain as u64;
            self.records.pop_front();
        }
        if self.records.is_empty() && self.records.capacity() > 64 {
            self.records = VecDeque::new();
        }
    }

    /// Frees the memory if everything was sent.
    pub fn shrink(&mut self) {
        if self.records.is_empty() {
            self.records = VecDeque::new();
        }
    }

    /// Position in the plaintext since the handshake up to which the records were sent completely.
    pub fn left(&self) -> u64 {
        self.left
    }

    fn push(&mut self, bytes: Vec<u8>, plain: usize) {
        self.records.push_back(Record { bytes, plain });
    }
}

/// Type, version and length of the record at the start of `bytes`. `None`: its header is incomplete.
fn header(bytes: &[u8]) -> Result<Option<(ContentType, ProtocolVersion, usize)>, Error> {
    let &[typ, major, minor, high, low, ..] = bytes else { return Ok(None) };
    let typ = ContentType::from(typ);
    let len = usize::from(u16::from_be_bytes([high, low]));
    match typ {
        ContentType::Unknown(_) => Err(InvalidMessage::InvalidContentType.into()),
        _ if major != 3 => Err(InvalidMessage::UnknownProtocolVersion.into()),
        _ if len > MAX_BODY => Err(Error::PeerSentOversizedRecord),
        _ => Ok(Some((typ, ProtocolVersion::from(u16::from_be_bytes([major, minor])), len))),
    }
}

/// The alert that reports a failure (RFC 8446 section 6.2). A received alert is not answered.
fn reason(error: &Error) -> Option<AlertDescription> {
    match error {
        Error::AlertReceived(_) => None,
        Error::DecryptError => Some(AlertDescription::BadRecordMac),
        Error::PeerSentOversizedRecord => Some(AlertDescription::RecordOverflow),
        Error::InvalidMessage(InvalidMessage::InvalidKeyUpdate) => Some(AlertDescription::IllegalParameter),
        Error::InvalidMessage(_) => Some(AlertDescription::DecodeError),
        Error::PeerMisbehaved(_) | Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            Some(AlertDescription::UnexpectedMessage)
        }
        _ => Some(AlertDescription::InternalError),
    }
}

#[cfg(test)]
mod tests;
