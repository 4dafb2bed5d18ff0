//! ws_diagnose against broken servers: the advice names the fault, the steps say how far it came, and no text has a
//! secret.
#![allow(unsafe_code)] // Calls the C ABI.

#[macro_use]
#[path = "../support/c_handles.rs"]
mod c_handles;

use c_handles::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use socket2::{Domain, Socket, Type};
use std::ffi::{CString, c_char};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tungstenite::handshake::derive_accept_key;
use wspeer::codes::*;
use wspeer::ffi::*;

const PATIENCE: Duration = Duration::from_secs(20);
/// In the query, headers and proxy URL of every diagnosis.
const SECRET: &str = "topsecret";

/// A STEP or CLOSED event.
#[derive(Debug)]
struct Told {
    phase: i32,
    cause: i32,
    status: i32,
    os_error: i32,
    text: String,
}

#[derive(Debug)]
struct Report {
    steps: Vec<Told>,
    end: Told,
    code: i32,
    /// CPU time of the longest ws_poll, where it is known.
    longest_poll: Duration,
}

impl Report {
    /// Checks cause and phase of the fault, and that the advice contains the words.
    fn expect(&self, phase: i32, cause: i32, words: &[&str]) -> &Report {
        assert_eq!((self.end.phase, self.end.cause), (phase, cause), "{self:#?}");
        for word in words {
            assert!(self.end.text.contains(word), "{word:?} is not in {:?}\n{self:#?}", self.end.text);
        }
        self
    }

    /// Checks that a step has these words.
    fn step(&self, words: &str) -> &Told {
        self.steps.iter().find(|step| step.text.contains(words)).unwrap_or_else(|| panic!("no {words:?}: {self:#?}"))
    }
}

fn text_of(fill: impl Fn(*mut c_char, usize, *mut usize) -> i32) -> String {
    let (mut bytes, mut len) = ([0u8; 2_048], 0);
    assert_eq!(fill(bytes.as_mut_ptr().cast(), bytes.len(), &mut len), WS_OK);
    String::from_utf8(bytes[..len].to_vec()).unwrap()
}

/// CPU time of this thread. Zero where it is not known.
fn thread_cpu() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is valid.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

/// Diagnoses a URL, to which a secret query is added. Polls `others` too.
fn diagnose(url: &str, others: &[u32], change: impl FnOnce(&mut ws_config)) -> Report {
    let headers = [c"Authorization: Bearer topsecret".as_ptr(), c"Cookie: id=topsecret".as_ptr()];
    diagnose_with(&format!("{url}?token={SECRET}"), &[SECRET], others, |config| {
        config.headers = headers.as_ptr();
        config.headers_count = 2;
        change(config);
    })
}

/// Diagnoses a URL. No text may have one of the secrets. Polls `others` too.
fn diagnose_with(url: &str, secrets: &[&str], others: &[u32], change: impl FnOnce(&mut ws_config)) -> Report {
    let url = CString::new(url).unwrap();
    let config = config(change);
    let mut handle = 0;
    assert_eq!(c!(ws_diagnose(url.as_ptr(), &config, &mut handle)), WS_OK, "{}", last_error());
    let (deadline, mut steps, mut newest) = (Instant::now() + PATIENCE, Vec::new(), 0);
    let mut longest_poll = Duration::ZERO;
    loop {
        let state = ws_get_state(handle);
        assert_ne!(state, WS_OPEN, "nothing can be put");
        let before = thread_cpu();
        assert!(ws_poll(handle) >= 0);
        longest_poll = longest_poll.max(thread_cpu().saturating_sub(before));
        others.iter().for_each(|other| assert!(ws_poll(*other) >= 0));
        let mut event: ws_event = blank();
        while c!(ws_next_event(handle, &mut event)) == WS_OK {
            // SAFETY: the text is lent until the next event is taken.
            let text = unsafe { std::slice::from_raw_parts(event.packet.data, event.packet.len) };
            let text = String::from_utf8(text.to_vec()).unwrap();
            assert!(!text.is_empty() && text.len() <= 1_024, "{text}");
            assert!(!text.contains(is_special) && !text.contains("?.") && !text.contains(".."), "{text:?}");
            secrets.iter().for_each(|secret| assert!(!text.contains(secret), "{secret} is in {text}"));
            assert!(event.time_ns >= newest, "the times are in order");
            newest = event.time_ns;
            let (phase, cause, status, os_error) = (event.phase, event.cause, event.http_status, event.os_error);
            let told = Told { phase, cause, status, os_error, text };
            match event.r#type {
                WS_EVENT_STEP => steps.push(told),
                WS_EVENT_CLOSED => {
                    let why = text_of(|buf, cap, len| c!(ws_get_text(handle, WS_GET_ERROR, buf, cap, len)));
                    assert_eq!(why, told.text);
                    let mut last: ws_event = blank();
                    assert_eq!(c!(ws_get_end(handle, &mut last)), WS_OK);
                    assert_eq!((last.cause, last.phase), (told.cause, told.phase));
                    assert_eq!(c!(ws_next_event(handle, &mut event)), WS_EMPTY);
                    assert!(steps.len() > 1 && steps.len() <= 200);
                    ws_free(handle);
                    return Report { steps, end: told, code: event.code, longest_poll };
                }
                other => panic!("event {other}"),
            }
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {steps:#?}");
        if others.is_empty() {
            c!(ws_wait(&handle, 1, 50));
        } else {
            std::thread::yield_now();
        }
    }
}

/// Control characters, and those that break lines or change the direction of writing.
fn is_special(char: char) -> bool {
    char.is_control() || ('\u{2028}'..='\u{202E}').contains(&char) || ('\u{2066}'..='\u{2069}').contains(&char)
}

fn last_error() -> String {
    text_of(|buf, cap, len| c!(ws_last_error(buf, cap, len)))
}

/// Runs a server for every connection, until the test ends.
fn serve(script: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(&script));
    address
}

/// Reads a request up to its blank line.
fn read_head(stream: &mut impl Read) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Reads until the client has ended.
fn drain(mut stream: impl Read) {
    let mut buffer = [0; 4_096];
    while stream.read(&mut buffer).unwrap_or(0) > 0 {}
}

/// A server that answers each request with these bytes.
fn answers(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    serve(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(&answer).unwrap();
        drain(stream);
    })
}

/// A server that accepts the opening handshake, with more header lines, and then runs a script.
fn accepts(lines: &'static str, then: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    serve(move |mut stream| {
        let head = read_head(&mut stream);
        let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let accept = derive_accept_key(key.as_bytes());
        write!(
            stream,
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{lines}Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .unwrap();
        then(stream);
    })
}

/// Short timeouts, for servers that do not answer.
fn hurry(config: &mut ws_config) {
    config.connect_timeout_ms = 700;
    config.close_timeout_ms = 200;
}

/// A server of this library.
fn own(url: &std::ffi::CStr, config: &ws_config) -> u32 {
    let mut server = 0;
    assert_eq!(c!(ws_listen(url.as_ptr(), config, &mut server)), WS_OK, "{}", last_error());
    server
}

// ---- What works ----

#[test]
fn a_working_server_is_reported_step_by_step() {
    let _alone = alone();
    let server = own(c"ws://127.0.0.1:0/room", &config(|config| config.subprotocols = c"chat".as_ptr()));
    let report = diagnose(&format!("ws://127.0.0.1:{}/room", port(server)), &[server], |config| {
        config.subprotocols = c"game, chat".as_ptr();
        config.flags = WS_DEFLATE;
    });
    report.expect(WS_PHASE_NONE, WS_CAUSE_NONE, &["Everything works", "answered a ping in", "ms"]);
    assert_eq!(report.code, 1000);
    assert!(report.steps.iter().all(|step| step.cause == WS_CAUSE_NONE), "{report:#?}");
    let mut at = 0;
    for (phase, words) in [
        (WS_PHASE_NONE, "opens ws://127.0.0.1:"),
        (WS_PHASE_DNS, "127.0.0.1 is an address"),
        (WS_PHASE_TCP, "connecting to 127.0.0.1:"),
        (WS_PHASE_TCP, "accepted the TCP connection"),
        (WS_PHASE_HTTP, "sent GET /room?(15 bytes, not shown) with the headers Host, Upgrade"),
        (WS_PHASE_HTTP, "the server answered 101 Switching Protocols"),
        (WS_PHASE_HTTP, "upgrade: websocket"),
        (WS_PHASE_HTTP, "the subprotocol chat, of 2 offered; no extension, although permessage-deflate was offered"),
        (WS_PHASE_WEBSOCKET, "sending a ping"),
        (WS_PHASE_WEBSOCKET, "answered the ping after"),
    ] {
        let found = report.steps[at..].iter().position(|step| step.phase == phase && step.text.contains(words));
        at += found.unwrap_or_else(|| panic!("no {words:?} after step {at}: {report:#?}")) + 1;
    }
    assert!(report.steps[0].text.contains("the clock of this machine says 2"), "{report:#?}");
    let sent =
        "Sec-WebSocket-Protocol, Sec-WebSocket-Extensions, Authorization, Cookie; it offers several subprotocols";
    assert!(report.step("sent GET").text.contains(sent), "{report:#?}");
    ws_free(server);
}

#[test]
fn a_diagnosis_takes_no_message_and_delivers_none() {
    let _alone = alone();
    let address = accepts("", |mut stream| {
        stream.write_all(b"\x81\x05hello").unwrap();
        drain(stream);
    });
    let url = CString::new(format!("ws://{address}/")).unwrap();
    let config = config(|config| config.flags = WS_QUEUE_BEFORE_OPEN);
    let mut handle = 0;
    assert_eq!(c!(ws_diagnose(url.as_ptr(), &config, &mut handle)), WS_OK);
    let (mut event, mut packet, end): (ws_event, ws_packet, _) = (blank(), blank(), Instant::now() + PATIENCE);
    let is_refused = |result: i32| result == WS_ERR_STATE && last_error().contains("ws_connect");
    let mut stats: ws_stats = blank();
    // Until the message has come.
    while stats.messages_in == 0 {
        assert!(Instant::now() < end && ws_poll(handle) >= 0);
        assert!(is_refused(c!(ws_put_packet(handle, b"x".as_ptr(), 1, WS_TEXT))));
        let put = ws_packet_out { data: b"x".as_ptr(), len: 1, r#type: WS_TEXT, target: 0 };
        let mut taken = 9;
        assert!(is_refused(c!(ws_put_packets(handle, &put, 1, &mut taken))) && taken == 0);
        assert_eq!(c!(ws_put_packet_to(handle, 0, b"x".as_ptr(), 1, WS_TEXT)), WS_ERR_KIND);
        assert_eq!((c!(ws_get_packet(handle, &mut packet)), ws_get_available(handle)), (WS_EMPTY, 0));
        assert_eq!(c!(ws_get_stats(handle, &mut stats, size_of::<ws_stats>())), WS_OK);
    }
    assert_eq!((stats.messages_out, stats.skipped), (0, 1));
    while c!(ws_next_event(handle, &mut event)) == WS_OK {
        assert_eq!(event.r#type, WS_EVENT_STEP);
    }
    assert!(c!(ws_declare_node(handle, c"/a".as_ptr(), c"b".as_ptr())) == WS_ERR_KIND);
    assert!(ws_get_peer_id(handle) == WS_ERR_KIND);
    ws_free(handle);
}

#[test]
fn a_program_may_end_a_diagnosis() {
    let _alone = alone();
    let address = serve(drain);
    let url = CString::new(format!("ws://{address}/")).unwrap();
    for polls in [0, 3] {
        let mut handle = 0;
        assert_eq!(c!(ws_diagnose(url.as_ptr(), null(), &mut handle)), WS_OK);
        (0..polls).for_each(|_| assert!(ws_poll(handle) >= 0));
        assert_eq!(c!(ws_close(handle, 1000, null())), WS_OK);
        assert_eq!(ws_get_state(handle), WS_CLOSED);
        assert!(ws_poll(handle) >= 0);
        let mut last: ws_event = blank();
        while c!(ws_next_event(handle, &mut last)) == WS_OK {}
        assert_eq!((last.r#type, last.cause), (WS_EVENT_CLOSED, WS_CAUSE_DROPPED));
        ws_free(handle);
    }
    let mut handle = 7;
    assert_eq!(c!(ws_diagnose(c"http://h/".as_ptr(), null(), &mut handle)), WS_ERR_URL);
    assert_eq!(c!(ws_diagnose(null(), null(), &mut handle)), WS_ERR_NULL);
    assert_eq!(c!(ws_diagnose(c"ws://h/".as_ptr(), null(), null_mut())), WS_ERR_NULL);
    assert_eq!(handle, 7);
}

#[test]
fn an_ipv6_address_that_fails_beside_a_working_ipv4_address_is_named() {
    let _alone = alone();
    let server = own(c"ws://127.0.0.1:0", &config(|_| ()));
    let report = diagnose(&format!("ws://localhost:{}/", port(server)), &[server], |_| ());
    report.expect(WS_PHASE_NONE, WS_CAUSE_NONE, &["Everything works", "IPv6 address ::1", "127.0.0.1"]);
    report.step("localhost has 2 addresses");
    let lost = report.step("[::1]:");
    assert_eq!(lost.phase, WS_PHASE_TCP);
    assert!(report.steps.iter().any(|step| step.text.starts_with("[::1]:") && step.cause != 0 && step.os_error != 0));
    ws_free(server);
}

// ---- Names and addresses ----

#[test]
fn a_name_without_address_is_named() {
    let _alone = alone();
    let report = diagnose("ws://no-such-host.invalid/", &[], |_| ());
    // Without a name server the lookup fails in another way.
    let cause = if report.end.cause == WS_CAUSE_NAME_FAILED { WS_CAUSE_NAME_FAILED } else { WS_CAUSE_NAME_NOT_FOUND };
    report.expect(WS_PHASE_DNS, cause, &["The name no-such-host.invalid"]);
}

#[test]
fn a_port_on_which_nobody_listens_is_named() {
    let _alone = alone();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = diagnose(&format!("ws://{free}/"), &[], |_| ());
    report.expect(WS_PHASE_TCP, WS_CAUSE_REFUSED, &["Nothing listens on", &free.to_string(), "Start the server"]);
    let failed = report.step("nothing listens there");
    assert!(failed.cause == WS_CAUSE_REFUSED && failed.os_error != 0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_does_not_answer_is_named() {
    let _alone = alone();
    // While its queue is full, Linux drops further SYNs.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _first = TcpStream::connect(address).unwrap();
    let report = diagnose(&format!("ws://{address}/"), &[], hurry);
    report.expect(WS_PHASE_TCP, WS_CAUSE_CONNECT_TIMEOUT, &["no answer from", &address.to_string(), "firewall"]);
    assert_eq!(report.step("there is no answer from").cause, WS_CAUSE_CONNECT_TIMEOUT);
}

// ---- TLS ----

/// A certificate with its key and what it was signed by.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    root_pem: CString,
}

/// Makes a CA and a certificate of it for a name, valid from and to so many days from now.
fn identity(name: &str, from: i64, to: i64, with_root: bool) -> Identity {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let day =
        |days: i64| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now.saturating_add_signed(days * 86_400));
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.distinguished_name.push(DnType::CommonName, "Test Root");
    let root_key = KeyPair::generate().unwrap();
    let root_cert = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.distinguished_name.push(DnType::CommonName, "Game Server");
    (leaf.not_before, leaf.not_after) = (day(from), day(to));
    let key = KeyPair::generate().unwrap();
    let mut chain = vec![leaf.signed_by(&key, &issuer).unwrap().der().clone()];
    if with_root {
        chain.push(root_cert.der().clone());
    }
    Identity { chain, key: key.serialize_der(), root_pem: CString::new(root_cert.pem()).unwrap() }
}

/// A server that does the TLS handshake, answers every request with 404, and drains.
fn serve_tls(identity: &Identity, answer: &'static [u8]) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(identity.key.clone()).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(identity.chain.clone(), key).unwrap();
    let config = Arc::new(config);
    serve(move |mut stream| {
        let mut tls = ServerConnection::new(config.clone()).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut stream);
        read_head(&mut stream);
        let _ = stream.write_all(answer);
        drain(stream);
    })
}

const NOT_FOUND: &[u8] = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n";

fn diagnose_tls(identity: &Identity, host: &str, knows_root: bool) -> Report {
    let port = serve_tls(identity, NOT_FOUND).port();
    // Issuers are found by their names, so this one differs.
    let mut other = CertificateParams::new(vec!["other.test".to_owned()]).unwrap();
    other.distinguished_name.push(DnType::CommonName, "Other");
    let other = CString::new(other.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()).unwrap();
    diagnose(&format!("wss://{host}:{port}/"), &[], |config| {
        config.flags |= WS_ONLY_CA_PEM;
        config.ca_pem = if knows_root { identity.root_pem.as_ptr() } else { other.as_ptr() };
    })
}

#[test]
fn a_good_certificate_is_described_and_one_that_ends_soon_is_mentioned() {
    let _alone = alone();
    let identity = identity("127.0.0.1", -1, 5, false);
    let report = diagnose_tls(&identity, "127.0.0.1", true);
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, &["Nothing is served at the path /"]);
    report.step("beginning TLS with the server 127.0.0.1");
    let chain = report.step("certificate 1 of 1");
    for words in ["\"Game Server\", for 127.0.0.1, signed by \"Test Root\"", "which ends in ", "SHA-256 "] {
        assert!(chain.text.contains(words), "{words}: {}", chain.text);
    }
    report.step("trusted and valid for 127.0.0.1");
    report.step("TLSv1.3");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (CString::new(made.cert.pem()).unwrap(), CString::new(made.signing_key.serialize_pem()).unwrap());
    let config = config(|config| (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr()));
    let server = own(c"wss://localhost:0", &config);
    let report =
        diagnose(&format!("wss://localhost:{}/", port(server)), &[server], |config| config.flags = WS_INSECURE);
    report.expect(WS_PHASE_NONE, WS_CAUSE_NONE, &["Everything works", "was not verified (WS_INSECURE)"]);
    report.step("accepted without a check");
    ws_free(server);
}

#[test]
fn a_certificate_with_wrong_dates_is_named_with_the_clock() {
    let _alone = alone();
    let report = diagnose_tls(&identity("127.0.0.1", -90, -3, false), "127.0.0.1", true);
    report.expect(
        WS_PHASE_TLS,
        WS_CAUSE_CERTIFICATE_EXPIRED,
        &["\"Game Server\" expired on", "3 days ago", "Renew it", "If that clock is wrong"],
    );
    report.step("which ended 3 days ago");
    let report = diagnose_tls(&identity("127.0.0.1", 400, 490, false), "127.0.0.1", true);
    report.expect(
        WS_PHASE_TLS,
        WS_CAUSE_CERTIFICATE_EXPIRED,
        &["\"Game Server\" is not valid before", "This clock is probably wrong: set it"],
    );
    report.step("which begins in");
    let report = diagnose_tls(&identity("127.0.0.1", 400, 490, true), "127.0.0.1", true);
    report.expect(WS_PHASE_TLS, WS_CAUSE_CERTIFICATE_EXPIRED, &["The server uses the certificate too early"]);
}

#[test]
fn a_certificate_for_another_name_is_named() {
    let _alone = alone();
    let report = diagnose_tls(&identity("game.example", -1, 30, false), "localhost", true);
    report.expect(
        WS_PHASE_TLS,
        WS_CAUSE_CERTIFICATE_NAME,
        &["for another name than localhost", "it has game.example", "server_name"],
    );
    report.step("for game.example");
}

#[test]
fn the_issuer_that_is_not_trusted_is_named() {
    let _alone = alone();
    let report = diagnose_tls(&identity("localhost", -1, 30, false), "localhost", false);
    report.expect(
        WS_PHASE_TLS,
        WS_CAUSE_CERTIFICATE_UNTRUSTED,
        &["only its own certificate", "\"Test Root\"", "incomplete", "fullchain.pem", "ca_pem"],
    );
    let report = diagnose_tls(&identity("localhost", -1, 30, true), "localhost", false);
    report.expect(WS_PHASE_TLS, WS_CAUSE_CERTIFICATE_UNTRUSTED, &["ends at the authority \"Test Root\"", "antivirus"]);
    report.step("certificate 2 of 2: \"Test Root\"");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let own = Identity {
        chain: vec![made.cert.der().clone()],
        key: made.signing_key.serialize_der(),
        root_pem: CString::default(),
    };
    let report = diagnose_tls(&own, "localhost", false);
    report.expect(WS_PHASE_TLS, WS_CAUSE_CERTIFICATE_UNTRUSTED, &["self-signed", "pin_sha256"]);
}

#[test]
fn a_server_that_refuses_tls_is_named() {
    let _alone = alone();
    // The alerts protocol_version (RFC 8446 section 6.2), of a server that knows TLS 1.1 at most, and
    // no_application_protocol (RFC 7301), of one that knows only HTTP/2.
    for (alert, words) in
        [(0x46, ["ProtocolVersion", "1.2 and 1.3 are offered"]), (0x78, ["NoApplicationProtocol", "HTTP/2"])]
    {
        let address = serve(move |mut stream| {
            let mut hello = [0; 64];
            let _ = stream.read(&mut hello);
            stream.write_all(&[0x15, 3, 2, 0, 2, 2, alert]).unwrap();
            drain(stream);
        });
        let report = diagnose(&format!("wss://{address}/"), &[], |_| ());
        report.expect(WS_PHASE_TLS, WS_CAUSE_TLS_FAILED, &words);
    }
}

#[test]
fn the_wrong_scheme_is_named() {
    let _alone = alone();
    let address = serve(|mut stream| {
        let mut hello = [0; 64];
        let _ = stream.read(&mut hello);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
        drain(stream);
    });
    let report = diagnose(&format!("wss://{address}/"), &[], |_| ());
    report.expect(WS_PHASE_TLS, WS_CAUSE_NOT_TLS, &["does not speak TLS", "ws:// instead of wss://"]);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (CString::new(made.cert.pem()).unwrap(), CString::new(made.signing_key.serialize_pem()).unwrap());
    let config = config(|config| (config.cert_pem, config.key_pem) = (cert.as_ptr(), key.as_ptr()));
    let server = own(c"wss://127.0.0.1:0", &config);
    let report = diagnose(&format!("ws://127.0.0.1:{}/", port(server)), &[server], |_| ());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_INVALID, &["speaks TLS", "wss:// instead of ws://"]);
    report.step("not in HTTP/1.1 but in TLS");
    ws_free(server);
    let silent = serve(drain);
    diagnose(&format!("wss://{silent}/"), &[], hurry).expect(
        WS_PHASE_TLS,
        WS_CAUSE_CONNECT_TIMEOUT,
        &["does not answer TLS", "ws://"],
    );
}

// ---- HTTP ----

#[test]
fn each_http_status_has_its_advice() {
    let _alone = alone();
    for (answer, status, words) in [
        (
            "401 x\r\nWWW-Authenticate: Basic realm=\"topsecret\"",
            401,
            &["requires authentication by Basic", "refused"][..],
        ),
        ("403 x\r\nServer: cloudflare", 403, &["forbids", "Server: cloudflare", "Origin", "none was sent"]),
        ("404 x", 404, &["Nothing is served at the path /room"]),
        ("301 x\r\nLocation: https://u:p@new.example/game?topsecret", 301, &["301", "wss://new.example/game"]),
        ("302 x\r\nLocation: /login?topsecret", 302, &["/login on the same server"]),
        ("426 x\r\nSec-WebSocket-Version: 8", 426, &["Upgrade", "another version"]),
        ("503 x\r\nRetry-After: 120", 503, &["full or overloaded", "try again in 120 s"]),
        ("429 x", 429, &["try again later"]),
        ("502 x\r\nServer: nginx", 502, &["A proxy in front of the server (Server: nginx)", "start that server"]),
        ("200 OK\r\nContent-Type: text/html; charset=utf-8", 200, &["web page", "captive portal"]),
        ("200 OK", 200, &["it may not be a WebSocket server"]),
    ] {
        let address = answers(format!("HTTP/1.1 {answer}\r\nSet-Cookie: a=topsecret\r\nContent-Length: 0\r\n\r\n"));
        let report = diagnose(&format!("ws://{address}/room"), &[], |_| ());
        report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, words);
        assert_eq!(report.end.status, status);
        assert_eq!(report.step(&format!("the server answered {status}")).status, status);
        assert!(report.step("headers of the answer").text.contains("Set-Cookie: (11 bytes, not shown)"), "{report:#?}");
    }
    let page = "<html>The plain HTTP request was sent to HTTPS port</html>";
    let address = answers(format!("HTTP/1.1 400 x\r\nContent-Length: {}\r\n\r\n{page}", page.len()));
    let report = diagnose(&format!("ws://{address}/"), &[], |_| ());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, &["expects TLS", "wss:// instead of ws://"]);
}

#[test]
fn an_answer_that_is_no_websocket_handshake_is_named() {
    let _alone = alone();
    let switch = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let wrong = answers(format!("{switch}Sec-WebSocket-Accept: AAAA\r\n\r\n"));
    let report = diagnose(&format!("ws://{wrong}/"), &[], |_| ());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_INVALID, &["wrong Sec-WebSocket-Accept", "cache or proxy"]);
    let other = accepts("Sec-WebSocket-Protocol: other\r\n", drain);
    let report = diagnose(&format!("ws://{other}/"), &[], |config| config.subprotocols = c"chat".as_ptr());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_SUBPROTOCOL, &["a subprotocol that was not offered"]);
    report.step("sec-websocket-protocol: other");
    let other = accepts("", drain);
    let report = diagnose(&format!("ws://{other}/"), &[], |config| config.subprotocols = c"chat".as_ptr());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_SUBPROTOCOL, &["none of the subprotocols"]);
    let extended = accepts("Sec-WebSocket-Extensions: permessage-deflate\r\n", drain);
    let report = diagnose(&format!("ws://{extended}/"), &[], |_| ());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_INVALID, &["an extension that was not offered"]);
}

#[test]
fn another_protocol_on_the_port_is_named() {
    let _alone = alone();
    for (answer, words) in [
        (&b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"[..], &["only HTTP/2", "HTTP/1.1"][..]),
        (b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", &["only HTTP/2"]),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", &["SSH server"]),
        (b"220 mail.example ESMTP\r\n", &["SMTP"]),
        (b"\x7fELF", &["another kind of server"]),
        (b"GET /?token=topsecret", &["another kind of server"]),
    ] {
        let address = answers(answer);
        diagnose(&format!("ws://{address}/"), &[], |_| ()).expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_INVALID, words);
    }
    let tls = identity("127.0.0.1", -1, 30, false);
    let address = serve_tls(&tls, b"\x00\x00\x12\x04\x00\x00\x00\x00\x00");
    let report = diagnose(&format!("wss://{address}/"), &[], |config| {
        config.flags |= WS_ONLY_CA_PEM;
        config.ca_pem = tls.root_pem.as_ptr();
    });
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_INVALID, &["only HTTP/2"]);
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let _alone = alone();
    let gone = serve(|mut stream| {
        read_head(&mut stream);
    });
    let report = diagnose(&format!("ws://{gone}/"), &[], |_| ());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_PEER_GONE, &["ended the connection without an answer", "try wss://"]);
    let silent = serve(drain);
    let report = diagnose(&format!("ws://{silent}/"), &[], hurry);
    report.expect(WS_PHASE_HTTP, WS_CAUSE_CONNECT_TIMEOUT, &["does not answer the request", "hangs"]);
}

// ---- After the opening handshake ----

#[test]
fn a_ping_that_is_not_answered_is_named() {
    let _alone = alone();
    let report = diagnose(&format!("ws://{}/", accepts("", drain)), &[], hurry);
    report.expect(WS_PHASE_WEBSOCKET, WS_CAUSE_PONG_TIMEOUT, &["ping was not answered", "firewall"]);
    let step = report.step("did not answer the ping within 700 ms");
    assert_eq!((step.phase, step.cause), (WS_PHASE_WEBSOCKET, WS_CAUSE_PONG_TIMEOUT));
    assert!(report.end.text.contains("nothing else came after it") && step.text.contains("what came: nothing"));
}

#[test]
fn what_came_in_place_of_a_pong_is_named() {
    let _alone = alone();
    for (frames, words) in [
        (&b"\x81\x05hello"[..], "one message"),
        (b"\x81\x05hello\x82\x01a", "2 messages"),
        (b"\x89\x00", "2 bytes of control frames or an unfinished message"),
    ] {
        let server = accepts("", move |mut stream| {
            // Behind the ping.
            let mut ping = [0; 12];
            stream.read_exact(&mut ping).unwrap();
            stream.write_all(frames).unwrap();
            drain(stream);
        });
        let report = diagnose(&format!("ws://{server}/"), &[], hurry);
        report.expect(
            WS_PHASE_WEBSOCKET,
            WS_CAUSE_PONG_TIMEOUT,
            &["the server sent", words, "did not answer the ping", "Correct the server"],
        );
        assert!(!report.end.text.contains("nothing else came"), "{report:#?}");
        report.step(&format!("within 700 ms; what came: {words}"));
    }
}

#[test]
fn texts_of_the_server_break_no_line_and_end_no_sentence_twice() {
    let _alone = alone();
    let turned = repeats("a\u{202E}b\u{2028}c\u{2066}d");
    diagnose(&format!("ws://{turned}/"), &[], |_| ())
        .expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, &["(Server: a b c d)"])
        .step("Server: a b c d");
    for (reason, shown) in [("by\u{202E}e\nnow?", "the reason: by e now? "), ("bye.", "the reason: bye. ")] {
        let frame = [&[0x88, 2 + reason.len() as u8, 3, 0xF0][..], reason.as_bytes()].concat();
        let closing = accepts("", move |mut stream| {
            stream.write_all(&frame).unwrap();
            drain(stream);
        });
        let report = diagnose(&format!("ws://{closing}/"), &[], |_| ());
        report.expect(WS_PHASE_APP, WS_CAUSE_CLOSED_BY_PEER, &[shown, "check the token"]);
    }
    let gone = serve(|mut stream| {
        read_head(&mut stream);
    });
    let report = diagnose_by(&format!("http://{gone}"));
    report.expect(WS_PHASE_PROXY, WS_CAUSE_PEER_GONE, &["is it"]);
    let wrong = answers("HTTP/1.1 200 x\r\nbad header\r\n\r\n");
    let report = diagnose(&format!("ws://{wrong}/"), &[], |_| ());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_INVALID, &["is it a WebSocket server?"]);
}

#[test]
fn a_server_that_closes_at_once_is_named_without_what_it_repeats() {
    let _alone = alone();
    let closing = accepts("", |mut stream| {
        stream.write_all(b"\x88\x13\x03\xf0no room topsecret").unwrap();
        drain(stream);
    });
    let report = diagnose(&format!("ws://{closing}/"), &[], |_| ());
    report.expect(WS_PHASE_APP, WS_CAUSE_CLOSED_BY_PEER, &["closed it at once", "1008", "check the token"]);
    assert_eq!(report.code, 1008);
    let cut = accepts("", drop);
    let report = diagnose(&format!("ws://{cut}/"), &[], |_| ());
    assert!([WS_CAUSE_PEER_GONE, WS_CAUSE_RESET].contains(&report.end.cause), "{report:#?}");
    report.expect(WS_PHASE_WEBSOCKET, report.end.cause, &["accepted the connection and then ended it"]);
    // Answers the ping, and not the close.
    let deaf = accepts("", |mut stream| {
        let mut frame = [0; 12];
        stream.read_exact(&mut frame).unwrap();
        let payload: Vec<u8> = (0..6).map(|at| frame[6 + at] ^ frame[2 + at % 4]).collect();
        stream.write_all(&[&[0x8A, 6], &payload[..]].concat()).unwrap();
        drain(stream);
    });
    let report = diagnose(&format!("ws://{deaf}/"), &[], hurry);
    report.expect(WS_PHASE_APP, WS_CAUSE_CLOSE_TIMEOUT, &["works", "did not answer the close frame"]);
}

// ---- Proxies ----

fn diagnose_by(proxy: &str) -> Report {
    let proxy = CString::new(proxy).unwrap();
    diagnose("ws://game.example:9080/room", &[], |config| {
        hurry(config);
        config.proxy = proxy.as_ptr();
    })
}

#[test]
fn each_fault_of_a_proxy_is_named() {
    let _alone = alone();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = diagnose_by(&format!("http://me:topsecret@{free}"));
    report.expect(
        WS_PHASE_TCP,
        WS_CAUSE_REFUSED,
        &["Nothing listens on", &free.to_string(), "Start the proxy", "(proxy)"],
    );
    report.step(&format!("through the proxy http://{free}"));
    for (answer, cause, words) in [
        (
            "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            WS_CAUSE_PROXY_AUTH,
            &["407", "refused the user name and password"][..],
        ),
        ("HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n", WS_CAUSE_PROXY_REFUSED, &["403", "game.example:9080"]),
        ("HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n", WS_CAUSE_PROXY_REFUSED, &["cannot reach the server"]),
        ("\x05\x00", WS_CAUSE_PROXY_INVALID, &["SOCKS proxy"]),
        ("SSH-2.0-x\r\n", WS_CAUSE_PROXY_INVALID, &["another kind of server"]),
    ] {
        let report = diagnose_by(&format!("http://me:topsecret@{}", answers(answer)));
        report.expect(WS_PHASE_PROXY, cause, words);
        let asked = report.step("for a tunnel to game.example:9080, with user name and password");
        assert_eq!(asked.phase, WS_PHASE_PROXY);
    }
    let silent = diagnose_by(&format!("http://{}", serve(drain)));
    silent.expect(WS_PHASE_PROXY, WS_CAUSE_CONNECT_TIMEOUT, &["proxy did not answer"]);
}

#[test]
fn a_server_behind_a_proxy_is_named_as_the_server() {
    let _alone = alone();
    let proxy = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 x\r\n\r\n").unwrap();
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n").unwrap();
        drain(stream);
    });
    let report = diagnose_by(&format!("http://{proxy}"));
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, &["Nothing is served at the path /room"]);
    report.step("the proxy opened the tunnel");
    report.step("the server answered 404");
}

// ---- Hostile servers ----

#[test]
fn long_and_many_headers_and_repeated_secrets_are_cut() {
    let _alone = alone();
    let mut answer = "HTTP/1.1 403 x\r\n".to_owned();
    for number in 0..100 {
        answer += &format!("X-Header-{number}: {}\r\n", "topsecret".repeat(10));
    }
    answer += "Server: Bearer topsecret\r\nVia: 1.1 id=topsecret\r\nContent-Length: 0\r\n\r\n";
    let report = diagnose(&format!("ws://{}/", answers(answer)), &[], |_| ());
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, &["forbids"]);
    assert!(report.steps.len() < 20, "{report:#?}");
}

#[test]
fn long_texts_and_many_secrets_take_little_time() {
    let _alone = alone();
    let (long, query) = ("y".repeat(15_000), "abcdefghij".repeat(1_500));
    let close = [&b"\x88\x7A\x03\xE8"[..], &[b'y'; 120]].concat();
    let servers = [
        answers(format!("HTTP/1.1 403 x\r\nServer: {long}\r\nContent-Length: 0\r\n\r\n")),
        answers(format!("HTTP/1.1 302 x\r\nLocation: https://e/{long}\r\nContent-Length: 0\r\n\r\n")),
        answers(format!(
            "HTTP/1.1 403 x\r\n{}Content-Length: 0\r\n\r\n",
            format!("Via: {}\r\n", &long[..600]).repeat(24)
        )),
        accepts("", move |mut stream| {
            stream.write_all(&close).unwrap();
            drain(stream);
        }),
    ];
    for server in servers {
        for secret in [&query[..4_000], &query] {
            let report = diagnose_with(&format!("ws://{server}/?token={secret}"), &[&secret[..8]], &[], |_| ());
            assert_ne!(report.end.cause, WS_CAUSE_NONE, "{report:#?}");
            // It takes a few milliseconds in a debug build.
            assert!(report.longest_poll < Duration::from_millis(100), "{report:#?}");
        }
    }
}

#[test]
fn with_too_many_secrets_no_text_of_the_server_is_shown() {
    let _alone = alone();
    let server = answers("HTTP/1.1 403 x\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n");
    let query: String = (0..3_000).map(|number| format!("k{number}=value{number:020}&")).collect();
    let report = diagnose_with(&format!("ws://{server}/?{query}"), &["nginx"], &[], |_| ());
    report.step("Server: (5 bytes, not shown)");
    report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, &["forbids the connection (Server: (5 bytes, not shown))"]);
}

// ---- Servers that repeat secrets ----

/// A server that answers 403 with this text in its header Server.
fn repeats(text: &str) -> SocketAddr {
    answers(format!("HTTP/1.1 403 x\r\nServer: {text}\r\nContent-Length: 0\r\n\r\n"))
}

#[test]
fn no_form_of_a_secret_of_the_url_is_shown() {
    let _alone = alone();
    for (before, after, repeated) in [
        ("administrator:passwordX@", "/", "passwordX"),
        ("administrator:passwordX@", "/", "administrator"),
        ("administrator:passwordX@", "/", "YWRtaW5pc3RyYXRvcjpwYXNzd29yZFg="),
        ("admin:pa5%35w%40rd%21@", "/", "pa55w@rd!"),
        ("", "/?t=hi%64%64en%2Dva%6Cue", "hidden-value"),
        ("", "/?t=ab+cd+ef+gh", "ab cd ef gh"),
        ("", "/?t=topsecret", "%74%6f%70%73%65%63%72%65%74"),
        ("", "/?t=topsecret", "TopSecret"),
        ("", "/#fragsecret", "fragsecret"),
    ] {
        let server = repeats(repeated);
        let report = diagnose_with(&format!("ws://{before}{server}{after}"), &[repeated], &[], |_| ());
        report.step(&format!("({} bytes, not shown)", repeated.len()));
    }
}

#[test]
fn no_form_of_a_secret_header_or_proxy_login_is_shown() {
    let _alone = alone();
    let headers = [c"Authorization: Basic Ym9iYnk6cGFzc3dvcmRY".as_ptr()];
    for repeated in ["passwordX", "Ym9iYnk6cGFzc3dvcmRY"] {
        diagnose_with(&format!("ws://{}/", repeats(repeated)), &[repeated], &[], |config| {
            config.headers = headers.as_ptr();
            config.headers_count = 1;
        });
    }
    for (repeated, line) in [
        ("passwordX", "Server: passwordX"),
        ("YWRtaW54OnBhc3N3b3JkWA==", "Server: YWRtaW54OnBhc3N3b3JkWA=="),
        ("passwordX", "Location: http://portal/passwordX"),
        ("passwordX", "Proxy-Authenticate: passwordX"),
        ("passwordX", "passwordX: 1"),
    ] {
        let proxy = answers(format!("HTTP/1.1 407 x\r\n{line}\r\nContent-Length: 0\r\n\r\n"));
        let proxy = CString::new(format!("http://adminx:passwordX@{proxy}")).unwrap();
        let report = diagnose_with("ws://game.example/", &[repeated], &[], |config| config.proxy = proxy.as_ptr());
        report.expect(WS_PHASE_PROXY, WS_CAUSE_PROXY_AUTH, &["407"]);
    }
}

#[test]
fn no_other_text_of_the_server_shows_a_secret() {
    let _alone = alone();
    const TOKEN: &str = "s3cr3ttoken";
    let headers = [c"Cookie: sid=s3cr3ttoken".as_ptr()];
    for place in ["https://game.example/room/s3cr3ttoken", "/room/s3cr3ttoken", "https://s3cr3ttoken.game.example/"] {
        let server = answers(format!("HTTP/1.1 302 x\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"));
        let report = diagnose_with(&format!("ws://{server}/room"), &[TOKEN], &[], |config| {
            config.headers = headers.as_ptr();
            config.headers_count = 1;
        });
        report.expect(WS_PHASE_HTTP, WS_CAUSE_HTTP_STATUS, &["it points to (", "bytes, not shown): connect there"]);
    }
    let chosen = accepts("Sec-WebSocket-Protocol: s3cr3ttoken\r\n", drain);
    for offered in [c"chat", c"s3cr3ttoken"] {
        let report = diagnose_with(&format!("ws://{chosen}/?token={TOKEN}"), &[TOKEN], &[], |config| {
            hurry(config);
            config.subprotocols = offered.as_ptr();
        });
        report.step("sec-websocket-protocol: (11 bytes, not shown)");
    }
    let identity = identity("s3cr3ttoken.example", -1, 30, false);
    let server = serve_tls(&identity, NOT_FOUND);
    for flags in [WS_ONLY_CA_PEM, WS_INSECURE] {
        let report = diagnose_with(&format!("wss://{server}/?token={TOKEN}"), &[TOKEN], &[], |config| {
            config.flags |= flags;
            if flags == WS_ONLY_CA_PEM {
                config.ca_pem = identity.root_pem.as_ptr();
            }
        });
        report.step("\"Game Server\", for (19 bytes, not shown)");
    }
    let echo = answers("\u{7f}s3cr3ttoken");
    diagnose_with(&format!("ws://admin:{TOKEN}@{echo}/"), &[TOKEN], &[], |_| ()).expect(
        WS_PHASE_HTTP,
        WS_CAUSE_HTTP_INVALID,
        &["it begins with"],
    );
}
