//! The remote peer is rustls's own record layer, or a second one of ours if it has to misbehave.

use super::*;
use crate::net::handshake::{Next, take};
use rustls::client::UnbufferedClientConnection;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::{
    ClientConfig, ClientConnection, Connection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
};
use std::io::{Read, Write};
use std::sync::Arc;

/// The suites of both TLS versions for one type of key. All ciphers are among them.
fn suites() -> Vec<SupportedCipherSuite> {
    default_provider()
        .cipher_suites
        .into_iter()
        .filter(|suite| !format!("{:?}", suite.suite()).contains("_RSA_"))
        .collect()
}

fn suite_of(tls13: bool) -> SupportedCipherSuite {
    suites().into_iter().find(|suite| suite.tls13().is_some() == tls13).unwrap()
}

fn configs(suite: SupportedCipherSuite) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();
    let provider = Arc::new(CryptoProvider { cipher_suites: vec![suite], ..default_provider() });
    let client =
        ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[suite.version()]).unwrap();
    let mut client = client.with_root_certificates(roots).with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[suite.version()]).unwrap();
    let mut server = server.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    (client.enable_secret_extraction, server.enable_secret_extraction) = (true, true);
    (Arc::new(client), Arc::new(server))
}

fn name() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

/// Runs an unbuffered session of rustls as far as the received bytes allow.
macro_rules! go_on {
    ($session:expr, $incoming:expr, $outgoing:expr) => {
        loop {
            let (discard, next) = take($session.process_tls_records($incoming), $outgoing, &mut Vec::new());
            $incoming.drain(..discard);
            if !matches!(next.unwrap(), Next::Again) {
                break;
            }
        }
    };
}

/// The remote peer, which is rustls itself, and what it has received.
struct Far(Connection, Vec<u8>);

impl Far {
    fn take(&mut self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            self.0.read_tls(&mut rest).unwrap();
            self.0.process_new_packets()?;
            // Ends with WouldBlock.
            let _ = self.0.reader().read_to_end(&mut self.1);
        }
        bytes.clear();
        Ok(())
    }

    fn give(&mut self, bytes: &mut Vec<u8>) {
        while self.0.wants_write() {
            self.0.write_tls(bytes).unwrap();
        }
    }

    fn read(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.1)
    }

    fn say(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.writer().write_all(plain).unwrap();
        self.give(&mut bytes);
        bytes
    }
}

/// A client of ours, the remote peer, and what the peer sent after the handshake.
fn client(config: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Records, Far, Vec<u8>) {
    let mut session = UnbufferedClientConnection::new(config.clone(), name()).unwrap();
    let mut far = Far(ServerConnection::new(server.clone()).unwrap().into(), Vec::new());
    far.0.set_buffer_limit(None);
    let (mut to_us, mut to_far) = (Vec::new(), Vec::new());
    loop {
        go_on!(session, &mut to_us, &mut to_far);
        far.take(&mut to_far).unwrap();
        far.give(&mut to_us);
        if !session.is_handshaking() && to_far.is_empty() {
            break;
        }
    }
    let (secrets, keys) = session.dangerous_into_kernel_connection().unwrap();
    (Records::new(secrets, Keys::Client(keys), false).unwrap(), far, to_us)
}

fn server(suite: SupportedCipherSuite) -> (Records, Far) {
    let (config, server) = configs(suite);
    let mut session = UnbufferedServerConnection::new(server).unwrap();
    let mut far = Far(ClientConnection::new(config, name()).unwrap().into(), Vec::new());
    far.0.set_buffer_limit(None);
    let (mut to_us, mut to_far) = (Vec::new(), Vec::new());
    while session.is_handshaking() || far.0.is_handshaking() || far.0.wants_write() {
        far.give(&mut to_us);
        go_on!(session, &mut to_us, &mut to_far);
        far.take(&mut to_far).unwrap();
    }
    let (secrets, keys) = session.dangerous_into_kernel_connection().unwrap();
    (Records::new(secrets, Keys::Server(keys), false).unwrap(), far)
}

/// A client and a server of ours.
fn pair(tls13: bool) -> (Records, Records) {
    let (config, server) = configs(suite_of(tls13));
    let mut client = UnbufferedClientConnection::new(config, name()).unwrap();
    let mut server = UnbufferedServerConnection::new(server).unwrap();
    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    while client.is_handshaking() || server.is_handshaking() || !to_client.is_empty() {
        go_on!(client, &mut to_client, &mut to_server);
        go_on!(server, &mut to_server, &mut to_client);
    }
    let (secrets, keys) = client.dangerous_into_kernel_connection().unwrap();
    let client = Records::new(secrets, Keys::Client(keys), false).unwrap();
    let (secrets, keys) = server.dangerous_into_kernel_connection().unwrap();
    (client, Records::new(secrets, Keys::Server(keys), false).unwrap())
}

fn sent(records: &mut Records) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !records.outgoing.is_empty() {
        let (slices, count) = records.outgoing.slices::<3>();
        let before = bytes.len();
        slices[..count].iter().for_each(|slice| bytes.extend_from_slice(slice));
        let count = bytes.len() - before;
        records.outgoing.advance(count / 2);
        records.outgoing.advance(count - count / 2);
    }
    bytes
}

/// Opens `bytes`, received in pieces of `piece` bytes.
fn opened(records: &mut Records, bytes: &[u8], piece: usize) -> Vec<u8> {
    let (mut plain, mut carried) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        carried.extend_from_slice(piece);
        loop {
            let opened = records.open(&mut carried);
            plain.extend_from_slice(&carried[..opened.plain]);
            carried.drain(..opened.used);
            if opened.used == 0 || carried.is_empty() {
                break;
            }
        }
    }
    assert!(records.is_over() || !begins_whole(&carried));
    plain
}

fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index * 7 + index / 251) as u8).collect()
}

#[test]
fn plaintext_counts_as_sent_once_its_whole_record_is() {
    for tls13 in [true, false] {
        let (mut ours, _) = pair(tls13);
        let mut ends = Vec::new();
        let (mut plain, mut wire) = (0, 0);
        for count in [1, 16_384, 16_385, 40_000, 700] {
            ours.seal(OutboundChunks::Single(&pattern(count))).unwrap();
            for record in ours.outgoing.records.range(ends.len()..) {
                wire += record.bytes.len();
                plain += record.bytes.len() as u64 - (ours.outgoing.records[0].bytes.len() as u64 - 1);
                ends.push((wire, plain));
            }
        }
        // Records without plaintext of the program do not count.
        ours.alert(WARNING, AlertDescription::UserCanceled);
        assert_eq!(plain, 1 + 16_384 + 16_385 + 40_000 + 700);
        let mut sent = 0;
        while !ours.outgoing.is_empty() {
            let (slices, _) = ours.outgoing.slices::<2>();
            let step = (slices[0].len() + slices[1].len()).min(977);
            ours.outgoing.advance(step);
            sent += step;
            assert_eq!(
                ours.outgoing.left(),
                ends.iter().rev().find(|(end, _)| *end <= sent).map_or(0, |(_, plain)| *plain)
            );
        }
        assert_eq!(ours.outgoing.left(), plain);
    }
}

/// Seals a record of a type that only a test sends.
fn odd(records: &mut Records, typ: ContentType, payload: &[u8]) -> Vec<u8> {
    records.seal_record(typ, OutboundChunks::Single(payload)).unwrap();
    sent(records)
}

fn fails(records: &mut Records, bytes: &[u8], with: &str) {
    assert_eq!(opened(records, bytes, bytes.len().max(1)), b"");
    let failure = format!("{:?}", records.failure().expect(with));
    assert!(failure.contains(with), "{failure} and not {with}");
}

#[test]
fn every_cipher_suite_works_in_both_roles_with_any_fragmentation() {
    for suite in suites() {
        let (config, server_config) = configs(suite);
        let (ours, far, mut behind) = client(&config, &server_config);
        let (theirs, other_far) = server(suite);
        for (mut ours, mut far, behind) in [(ours, far, std::mem::take(&mut behind)), (theirs, other_far, Vec::new())] {
            assert_eq!(opened(&mut ours, &behind, 100), b"");
            for (count, piece) in
                [(1, 1), (700, 1), (16_384, 5), (16_385, 16_406), (300_000, 1_000), (300_000, 400_000)]
            {
                let plain = pattern(count);
                ours.seal(OutboundChunks::new(&[&plain[..count / 3], &[], &plain[count / 3..]])).unwrap();
                far.take(&mut sent(&mut ours)).unwrap();
                assert_eq!(far.read(), plain, "{suite:?}");
                let bytes = far.say(&plain);
                assert_eq!(opened(&mut ours, &bytes, piece), plain, "{suite:?}");
            }
            assert!(ours.describe().starts_with("TLSv1."), "{}", ours.describe());
            ours.close();
            far.take(&mut sent(&mut ours)).unwrap();
            assert_eq!(far.0.reader().read(&mut [0]).unwrap(), 0);
            assert!(ours.seal(OutboundChunks::Single(b"x")).is_err());
            far.0.send_close_notify();
            let mut bytes = Vec::new();
            far.give(&mut bytes);
            assert_eq!(opened(&mut ours, &bytes, 1), b"");
            assert!(ours.is_over() && ours.failure().is_none());
        }
    }
}

#[test]
fn tiny_records_are_opened_in_bounded_batches() {
    let (mut client, mut server) = pair(true);
    let mut bytes = Vec::new();
    for _ in 0..MAX_OPENED + 5 {
        bytes.extend(odd(&mut server, ContentType::ApplicationData, b"x"));
    }
    let first = client.open(&mut bytes);
    assert_eq!(first.plain, MAX_OPENED);
    assert_eq!(client.open(&mut bytes[first.used..]), Opened { plain: 5, used: bytes.len() - first.used });
}

#[test]
fn session_tickets_resume() {
    let (config, server_config) = configs(suite_of(true));
    let (mut ours, _, behind) = client(&config, &server_config);
    assert!(!behind.is_empty());
    assert_eq!(opened(&mut ours, &behind, 7), b"");
    assert!(ours.failure().is_none());
    let (_, far, _) = client(&config, &server_config);
    assert_eq!(far.0.handshake_kind(), Some(HandshakeKind::Resumed));
}

#[test]
fn key_update_requests_are_answered_with_a_key_update() {
    let (mut ours, mut far) = server(suite_of(true));
    for round in 0..100 {
        far.0.refresh_traffic_keys().unwrap();
        let bytes = far.say(b"with the next key");
        assert_eq!(opened(&mut ours, &bytes, 1), b"with the next key", "{round}");
        ours.seal(OutboundChunks::Single(b"answer")).unwrap();
        assert_eq!(ours.sealed, 1, "the answer comes with a key of its own");
        far.take(&mut sent(&mut ours)).unwrap();
        assert_eq!(far.read(), b"answer");
    }
}

#[test]
fn a_key_is_updated_before_its_record_limit() {
    let (mut ours, mut far) = server(suite_of(true));
    ours.most_sealed = ours.sealed + 3;
    for _ in 0..20 {
        ours.seal(OutboundChunks::Single(&pattern(40_000))).unwrap();
        ours.most_sealed = 3;
        assert!(ours.sealed <= 3);
        far.take(&mut sent(&mut ours)).unwrap();
        assert_eq!(far.read(), pattern(40_000));
    }
}

#[test]
fn tls_1_2_closes_at_the_record_limit_of_its_key() {
    let (mut ours, mut far) = server(suite_of(false));
    ours.most_sealed = ours.sealed + 2;
    ours.seal(OutboundChunks::Single(b"last")).unwrap();
    let error = ours.seal(OutboundChunks::Single(b"too much")).unwrap_err();
    assert!(error.to_string().contains("connect again"), "{error}");
    far.take(&mut sent(&mut ours)).unwrap();
    assert_eq!(far.read(), b"last");
    assert_eq!(far.0.reader().read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_corrupted_byte_fails_the_connection_with_an_alert() {
    for tls13 in [true, false] {
        let (mut ours, mut far) = server(suite_of(tls13));
        let mut bytes = far.say(b"good");
        let start = bytes.len();
        bytes.extend(far.say(b"changed"));
        bytes.extend(far.say(b"never seen"));
        bytes[start + 20] ^= 1;
        assert_eq!(opened(&mut ours, &bytes, 1_000), b"good");
        assert_eq!(ours.failure(), Some(&Error::DecryptError));
        assert!(ours.seal(OutboundChunks::Single(b"x")).is_err());
        assert_eq!(far.take(&mut sent(&mut ours)), Err(Error::AlertReceived(AlertDescription::BadRecordMac)));
    }
    // In the header, all but the length is known.
    for (index, value) in [(0, 22), (0, 21), (0, 20), (0, 99), (1, 2), (3, 0x48), (3, 0xFF)] {
        let (mut ours, mut far) = server(suite_of(true));
        let mut bytes = far.say(&pattern(16_384));
        bytes[index] = value;
        bytes.resize(70_000, 0);
        assert_eq!(opened(&mut ours, &bytes, 100_000), b"");
        assert!(ours.failure().is_some(), "byte {index} = {value}");
        assert!(far.take(&mut sent(&mut ours)).is_err());
    }
}

#[test]
fn illegal_records_fail_the_connection() {
    let update = [24, 0, 0, 1, 0];
    let cases: [(bool, ContentType, &[u8], &str); 12] = [
        (true, ContentType::Handshake, &[1, 0, 0, 0], "InappropriateHandshakeMessage"),
        (true, ContentType::Handshake, &[4, 0, 0, 1, 0], "Inval"),
        (true, ContentType::Handshake, &[24, 0, 0, 1, 2], "InvalidKeyUpdate"),
        (true, ContentType::Handshake, &[24, 0, 0, 1, 0, 4], "KeyEpochWithPendingFragment"),
        (true, ContentType::Handshake, &[4, 1, 0, 0], "HandshakePayloadTooLarge"),
        (true, ContentType::Alert, &[1], "MessageTooShort"),
        (true, ContentType::Alert, &[2, 40], "HandshakeFailure"),
        (true, ContentType::Alert, &[1, 40], "HandshakeFailure"),
        (true, ContentType::Heartbeat, &[1], "InappropriateMessage"),
        (false, ContentType::Handshake, &update, "InappropriateHandshakeMessage"),
        (false, ContentType::Handshake, &[4, 0, 0, 0], "InappropriateHandshakeMessage"),
        (false, ContentType::ChangeCipherSpec, &[1], "InappropriateMessage"),
    ];
    for (tls13, typ, payload, with) in cases {
        let (mut client, mut server) = pair(tls13);
        let bytes = odd(&mut server, typ, payload);
        fails(&mut client, &bytes, with);
        let answer = sent(&mut client);
        assert_eq!(opened(&mut server, &answer, 1_000), b"");
        // An alert is not answered by one.
        assert_eq!(server.failure().is_none(), with == "HandshakeFailure", "{with}");
    }
    let (mut client, mut server) = pair(true);
    let mut bytes = odd(&mut server, ContentType::Handshake, &update[..3]);
    bytes.extend(odd(&mut server, ContentType::ApplicationData, b"x"));
    fails(&mut client, &bytes, "MessageInterleavedWithHandshakeMessage");
}

#[test]
fn harmless_records_are_limited_in_number() {
    let cases: [(bool, ContentType, &[u8], u8, &str); 6] = [
        (true, ContentType::ApplicationData, &[], MAX_EMPTY, "TooManyEmptyFragments"),
        (true, ContentType::Alert, &[1, 90], MAX_WARNINGS, "TooManyWarningAlertsReceived"),
        (false, ContentType::Alert, &[1, 40], MAX_WARNINGS, "TooManyWarningAlertsReceived"),
        (false, ContentType::Handshake, &[0, 0, 0, 0], MAX_RENEGOTIATIONS, "TooManyRenegotiationRequests"),
        (true, ContentType::Handshake, &[], MAX_EMPTY, "TooManyEmptyFragments"),
        (false, ContentType::ApplicationData, &[], MAX_EMPTY, "TooManyEmptyFragments"),
    ];
    for (tls13, typ, payload, most, with) in cases {
        let (mut client, mut server) = pair(tls13);
        for _ in 0..most {
            let bytes = odd(&mut server, typ, payload);
            assert_eq!(opened(&mut client, &bytes, 1), b"");
            assert_eq!(client.failure(), None, "{with}");
        }
        // A refused renegotiation is reported by a warning, which is harmless, too.
        let answer = sent(&mut client);
        assert_eq!(opened(&mut server, &answer, 1), b"");
        assert_eq!(server.failure(), None);
        let bytes = odd(&mut server, typ, payload);
        fails(&mut client, &bytes, with);
    }
}

#[test]
fn key_updates_without_data_are_limited() {
    let (mut ours, mut far) = server(suite_of(true));
    let mut bytes = Vec::new();
    for _ in 0..MAX_KEY_UPDATES {
        far.0.refresh_traffic_keys().unwrap();
        far.give(&mut bytes);
    }
    assert_eq!(opened(&mut ours, &bytes, bytes.len()), b"");
    assert!(ours.failure().is_none());
    assert_eq!(ours.outgoing.records.len(), 1, "one answer for all that came together");
    far.take(&mut sent(&mut ours)).unwrap();
    far.0.refresh_traffic_keys().unwrap();
    bytes.clear();
    far.give(&mut bytes);
    fails(&mut ours, &bytes, "TooManyKeyUpdateRequests");
}

#[test]
fn a_partial_record_is_not_opened() {
    let (mut client, mut server) = pair(true);
    let whole = odd(&mut server, ContentType::ApplicationData, b"whole");
    for end in 0..whole.len() {
        let mut part = whole[..end].to_vec();
        assert!(!begins_whole(&part));
        assert_eq!(client.open(&mut part), Opened::default());
    }
    assert_eq!(opened(&mut client, &whole, whole.len()), b"whole");
}
