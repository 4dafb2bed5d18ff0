//! TLS streams over real sockets. The remote peer is rustls's record layer, on the same thread.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wspeer::internals::error::Failure;
use wspeer::internals::net::{
    CancelToken, Destination, Dial, Mailbox, Reader, Services, Step, Stream, TlsClient, TlsClientSettings, TlsServer,
    tls_failure,
};
use wspeer::internals::status::{Cause, Phase};

const PATIENCE: Duration = Duration::from_secs(120);
const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

/// The remote peer.
struct Far {
    session: Connection,
    tcp: TcpStream,
    /// Encrypted bytes to be sent.
    wire: Vec<u8>,
    plain: Vec<u8>,
    over: bool,
}

impl Far {
    fn new(session: Connection, tcp: TcpStream) -> Far {
        tcp.set_nonblocking(true).unwrap();
        tcp.set_nodelay(true).unwrap();
        Far { session, tcp, wire: Vec::new(), plain: Vec::new(), over: false }
    }

    /// Receives and decrypts what has arrived.
    fn receive(&mut self) {
        loop {
            match self.session.read_tls(&mut self.tcp) {
                Ok(0) => self.over = true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.over = true,
            }
            if self.session.process_new_packets().is_err() || self.over {
                self.over = true;
                return;
            }
            let _ = self.session.reader().read_to_end(&mut self.plain);
        }
    }

    /// Encrypts what is queued, and sends at most `most` bytes.
    fn send(&mut self, most: usize) {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.wire).unwrap();
        }
        let most = most.min(self.wire.len());
        if let Ok(count) = self.tcp.write(&self.wire[..most]) {
            self.wire.drain(..count);
        }
    }

    fn say(&mut self, plain: &[u8]) {
        self.session.set_buffer_limit(None);
        self.session.writer().write_all(plain).unwrap();
    }
}

/// A self-signed certificate and its key.
struct Trust {
    cert: String,
    key: String,
}

impl Trust {
    fn new() -> Trust {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Trust { cert: own.cert.pem(), key: own.signing_key.serialize_pem() }
    }

    fn far_client(&self, version: &'static SupportedProtocolVersion, tcp: TcpStream) -> Far {
        let mut roots = RootCertStore::empty();
        roots.add(PemObject::from_pem_slice(self.cert.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Far::new(
            ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap().into(),
            tcp,
        )
    }

    fn far_server(&self, version: &'static SupportedProtocolVersion, tcp: TcpStream) -> Far {
        Far::new(ServerConnection::new(self.server_config(version)).unwrap().into(), tcp)
    }

    fn server_config(&self, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth();
        let chain = vec![PemObject::from_pem_slice(self.cert.as_bytes()).unwrap()];
        Arc::new(config.with_single_cert(chain, PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()).unwrap())
    }
}

/// Starts a connecting client. Returns it and the accepted socket.
fn dial(services: &Services, trust: &Trust) -> (Dial, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings =
        TlsClientSettings { ca_pem: Some(trust.cert.clone()), only_ca_pem: true, ..TlsClientSettings::default() };
    let tls = Some(Arc::new(TlsClient::new("localhost", settings).unwrap()));
    let to = Destination {
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        tls,
        no_delay: true,
        trace: None,
    };
    let mut dial = Dial::start(services, to, Instant::now());
    assert!(matches!(dial.step(services, Instant::now()), Step::Pending));
    (dial, listener.accept().unwrap().0)
}

/// Starts a server-side handshake on the worker. Returns its mailbox, its cancel token and the client's socket.
fn accept(services: &Services, trust: &Trust) -> (Arc<Mailbox<Result<Stream, Failure>>>, CancelToken, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (tcp, _) = listener.accept().unwrap();
    tcp.set_nonblocking(true).unwrap();
    let mailbox = Arc::new(Mailbox::new());
    let server = Arc::new(TlsServer::new(&trust.cert, &trust.key).unwrap());
    let token = services.accept_tls(mio::net::TcpStream::from_std(tcp), server, &mailbox, 1);
    (mailbox, token, far)
}

fn until<T>(what: &str, mut step: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(done) = step() {
            return done;
        }
        assert!(Instant::now() < end, "{what} took too long");
        std::thread::yield_now();
    }
}

/// Opens a TLS stream as client or server; the remote peer queues `first` before the handshake is complete.
fn open(client: bool, version: &'static SupportedProtocolVersion, first: &[u8]) -> (Stream, Far) {
    let services = Services::new(Arc::new(|| {}));
    let trust = Trust::new();
    if client {
        let (mut dial, tcp) = dial(&services, &trust);
        let mut far = trust.far_server(version, tcp);
        far.say(first);
        let stream = until("a client's handshake", || {
            far.receive();
            far.send(usize::MAX);
            match dial.step(&services, Instant::now()) {
                Step::Pending => None,
                Step::Done(stream) => Some(stream),
                Step::Failed(failure) => panic!("{}", failure.message),
            }
        });
        return finish(stream, far);
    }
    let (mailbox, _token, tcp) = accept(&services, &trust);
    let mut far = trust.far_client(version, tcp);
    far.say(first);
    let stream = until("a server's handshake", || {
        far.receive();
        far.send(usize::MAX);
        mailbox.take().pop()
    });
    finish(stream.1.map_err(|failure| failure.message).unwrap(), far)
}

/// Polls until the remote peer has completed its handshake too.
fn finish(stream: Stream, mut far: Far) -> (Stream, Far) {
    until("the other end's handshake", || {
        far.receive();
        (!far.session.is_handshaking()).then_some(())
    });
    (stream, far)
}

fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index * 7 + index / 251) as u8).collect()
}

/// Reads what is available into buffers of `len` bytes. Returns true at the end of the stream.
fn read(stream: &mut Stream, plain: &mut Vec<u8>, len: usize) -> bool {
    let mut buffer = vec![0; len];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(count) => {
                plain.extend_from_slice(&buffer[..count]);
                if stream.has_read_all(count < len) {
                    return false;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn both_directions_work_at_once_in_any_pieces() {
    let ours = pattern(700_000);
    for version in VERSIONS {
        for client in [true, false] {
            let (mut stream, mut far) = open(client, version, b"");
            let mut written = 0;
            for (len, piece, count) in [
                (1, 50_000, 3_000),
                (100, 7, 40_000),
                (16 << 10, 3_000, 700_000),
                (20 << 10, 90_000, 700_000),
                (300 << 10, usize::MAX, 700_000),
            ] {
                far.say(&ours[..count]);
                let (mut plain, mut at) = (Vec::new(), 0);
                until("an exchange", || {
                    far.receive();
                    far.send(piece);
                    read(&mut stream, &mut plain, len);
                    if at < count {
                        let rest = &ours[at..count.min(at + 150_000)];
                        let (head, tail) = rest.split_at(rest.len() / 3);
                        at += stream.write_vectored(&[head, tail, &[]].map(std::io::IoSlice::new)).unwrap_or(0);
                    }
                    let _ = stream.flush();
                    (plain.len() == count && far.plain.len() == count).then_some(())
                });
                assert!(plain == ours[..count], "{version:?} {len} {piece}");
                assert!(std::mem::take(&mut far.plain) == ours[..count], "{version:?} {len} {piece}");
                written += count as u64;
                assert_eq!(stream.left(written, written), written);
            }
            assert!(
                stream
                    .describe_tls()
                    .unwrap()
                    .starts_with(&format!("{:?} ", version.version).replace("TLSv1_", "TLSv1."))
            );
            far.session.send_close_notify();
            until("the end", || {
                far.send(usize::MAX);
                read(&mut stream, &mut Vec::new(), 100).then_some(())
            });
            stream.shutdown_write();
            until("our end", || {
                far.receive();
                far.over.then_some(())
            });
        }
    }
}

/// A reader that stops halfway, as with a full queue, and continues when more has arrived.
#[test]
fn has_read_all_is_true_only_when_everything_was_read() {
    for version in VERSIONS {
        for client in [true, false] {
            let (mut stream, mut far) = open(client, version, b"");
            let mut state = 7_u32;
            let mut random = |below: usize| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as usize % below
            };
            let (mut said, mut got) = (0, 0);
            for round in 0..2_000 {
                let len = 1 + random(30_000);
                far.say(&vec![1; len]);
                said += len;
                until("sending", || {
                    far.send(usize::MAX);
                    (far.wire.is_empty() && !far.session.wants_write()).then_some(())
                });
                let mut reads = if random(3) == 0 { usize::MAX } else { random(3) };
                while reads > 0 {
                    reads -= 1;
                    let mut buffer = vec![0; 1 + random(60_000)];
                    let all = match stream.read(&mut buffer) {
                        Ok(count) => {
                            got += count;
                            stream.has_read_all(count < buffer.len())
                        }
                        Err(error) if error.kind() == ErrorKind::Interrupted => false,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::WouldBlock);
                            true
                        }
                    };
                    if all {
                        assert_eq!(got, said, "round {round}: bytes are left in the socket, and no event follows");
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn data_right_after_the_handshake_is_received() {
    let first = pattern(9_000);
    for version in VERSIONS {
        for client in [true, false] {
            for closes in [false, true] {
                let (mut stream, mut far) = open(client, version, &first);
                if closes {
                    far.session.send_close_notify();
                } else {
                    far.say(b"more");
                }
                let mut plain = Vec::new();
                until("the first bytes", || {
                    far.receive();
                    far.send(usize::MAX);
                    let over = read(&mut stream, &mut plain, 5_000);
                    (over || plain.len() == first.len() + 4).then_some(())
                });
                assert!(
                    plain == if closes { first.clone() } else { [first.as_slice(), b"more"].concat() },
                    "{version:?} {client} {closes}: {}",
                    plain.len()
                );
            }
        }
    }
}

#[test]
fn little_data_is_buffered_for_a_full_socket() {
    let (mut stream, mut far) = open(true, VERSIONS[1], b"");
    let ours = pattern(32 << 20);
    let mut at = 0;
    until("a full socket", || match stream.write(&ours[at..]) {
        Ok(count) => {
            at += count;
            None
        }
        Err(error) => (error.kind() == ErrorKind::WouldBlock).then_some(()),
    });
    let all = at as u64;
    let held = all - stream.left(all, all);
    assert!(at < ours.len() && (1..=100 << 10).contains(&held), "{held} bytes are held back");
    assert_eq!(stream.flush().unwrap_err().kind(), ErrorKind::WouldBlock);
    until("the remainder is flushed", || {
        far.receive();
        stream.flush().ok()
    });
    assert_eq!(stream.left(all, all), all);
    until("all bytes arrive", || {
        far.receive();
        (far.plain.len() == at).then_some(())
    });
    assert!(far.plain == ours[..at]);
}

#[test]
fn a_truncated_record_is_not_delivered() {
    for reset in [false, true] {
        let (mut stream, mut far) = open(false, VERSIONS[1], b"");
        far.say(b"whole");
        far.send(usize::MAX);
        far.say(&pattern(16_000));
        far.send(8_000);
        if reset {
            socket2::SockRef::from(&far.tcp).set_linger(Some(Duration::ZERO)).unwrap();
        }
        let mut plain = Vec::new();
        until("the complete record", || {
            read(&mut stream, &mut plain, 30_000);
            (!plain.is_empty()).then_some(())
        });
        drop(far);
        let mut buffer = vec![0; 30_000];
        let end = until("the end", || match stream.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
            end => Some(end),
        });
        assert_eq!(plain, b"whole");
        match end {
            Ok(count) => assert_eq!(count, 0),
            Err(error) => assert!(reset && error.kind() == ErrorKind::ConnectionReset, "{error}"),
        }
    }
}

#[test]
fn a_corrupted_record_fails_the_stream_after_the_earlier_data() {
    let (mut stream, mut far) = open(true, VERSIONS[1], b"");
    far.say(b"good");
    far.send(0);
    let good = far.wire.len();
    far.say(b"changed");
    far.send(0);
    far.wire[good + 7] ^= 0x10;
    far.send(usize::MAX);
    let (mut plain, mut buffer) = (Vec::new(), vec![0; 30_000]);
    let error = until("the failure", || match stream.read(&mut buffer) {
        Ok(count) => {
            assert!(count > 0 && !stream.has_read_all(true));
            plain.extend_from_slice(&buffer[..count]);
            None
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
        Err(error) => Some(error),
    });
    assert_eq!(plain, b"good");
    let failure = tls_failure(&error, Reader::Client).unwrap();
    assert_eq!((failure.phase, failure.cause), (Phase::Tls, Cause::TlsFailed));
    // The error persists, and the remote peer has received the alert.
    assert_eq!(stream.read(&mut buffer).unwrap_err().kind(), ErrorKind::InvalidData);
    until("the alert", || {
        far.receive();
        far.over.then_some(())
    });
}

#[test]
fn an_endless_handshake_message_is_refused() {
    let services = Services::new(Arc::new(|| {}));
    let trust = Trust::new();
    let (mut dial, mut tcp) = dial(&services, &trust);
    tcp.set_nonblocking(true).unwrap();
    // A ServerHello of 65,000 bytes in records of 100, followed by endless further records.
    let mut wire = vec![22, 3, 3, 0, 100, 2, 0, 0xFD, 0xE8];
    wire.extend([0; 96]);
    let mut sent = 0;
    let failure = until("the failure", || {
        let begun = sent % 105;
        let piece = if sent < 105 {
            wire[begun..].to_vec()
        } else {
            [&[22, 3, 3, 0, 100][..], &[0; 100]].concat()[begun..].to_vec()
        };
        sent += tcp.write(&piece).unwrap_or(0);
        assert!(sent < 4 << 20, "it does not stop reading");
        match dial.step(&services, Instant::now()) {
            Step::Pending => None,
            Step::Done(_) => panic!("the handshake succeeded"),
            Step::Failed(failure) => Some(failure),
        }
    });
    assert_eq!(failure.phase, Phase::Tls);
}

#[test]
fn a_reconnecting_client_resumes_its_session() {
    for version in VERSIONS {
        let services = Services::new(Arc::new(|| {}));
        let (trust, other) = (Trust::new(), Trust::new());
        let config = trust.server_config(version);
        let mut kinds = Vec::new();
        for settings_of in [&trust, &trust, &trust, &other] {
            let (mut dial, tcp) = dial(&services, settings_of);
            let mut far = Far::new(ServerConnection::new(config.clone()).unwrap().into(), tcp);
            let stream = until("the handshake", || {
                far.receive();
                far.send(usize::MAX);
                match dial.step(&services, Instant::now()) {
                    Step::Pending => None,
                    Step::Done(stream) => Some(Some(stream)),
                    Step::Failed(_) => Some(None),
                }
            });
            let Some(stream) = stream else {
                kinds.push(None);
                continue;
            };
            let (mut stream, mut far) = finish(stream, far);
            kinds.push(far.session.handshake_kind());
            // Session tickets follow the handshake, before the first bytes.
            far.say(b"hello");
            let mut plain = Vec::new();
            until("the first bytes", || {
                far.send(usize::MAX);
                read(&mut stream, &mut plain, 30_000);
                (plain == b"hello").then_some(())
            });
        }
        use rustls::HandshakeKind::{Full, Resumed};
        // A ticket is only used by clients with the same trust settings.
        assert_eq!(kinds, [Some(Full), Some(Resumed), Some(Resumed), None], "{version:?}");
    }
}
