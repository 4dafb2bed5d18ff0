//! tungstenite over non-blocking sockets, with mio for a server, and rustls for wss. Variants: default: `write` each
//! message and one `flush` per frame; `8k`: a read buffer of 8 KiB; `send`: `send`, which writes and flushes, for each
//! message.

use bench_contestants::{got, path, run, slice, variant};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::cell::RefCell;
use std::ffi::{c_char, c_int};
use std::io::ErrorKind::WouldBlock;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message, WebSocket, accept_with_config, client::client_with_config};

/// A plain or TLS stream.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

struct Client {
    socket: WebSocket<Box<dyn Stream>>,
    each: bool,
    unsent: bool,
}

struct Server {
    listener: TcpListener,
    poll: Poll,
    events: Events,
    sockets: Vec<Option<WebSocket<TcpStream>>>,
    each: bool,
}

const LISTENER: Token = Token(usize::MAX - 1);

thread_local! {
    static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
}

fn main() {
    run();
}

fn config() -> WebSocketConfig {
    let config = WebSocketConfig::default();
    if variant(c"8k") { config.read_buffer_size(8 << 10) } else { config }
}

/// Returns false if the socket accepts no more for now; tungstenite keeps the rest.
fn sent(result: Result<(), Error>) -> bool {
    match result {
        Ok(()) => true,
        Err(Error::Io(error)) if error.kind() == WouldBlock => false,
        Err(error) => panic!("{error}"),
    }
}

fn tls(stream: TcpStream, ca: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    StreamOwned::new(
        ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap(),
        stream,
    )
}

impl Client {
    fn open(port: u16, ca: Option<String>) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        let handle = stream.try_clone().unwrap();
        let url = format!("{}://localhost:{port}/", if ca.is_some() { "wss" } else { "ws" });
        let stream: Box<dyn Stream> = match ca {
            Some(ca) => Box::new(tls(stream, &ca)),
            None => Box::new(stream),
        };
        let (socket, _) = client_with_config(url, stream, Some(config())).unwrap();
        handle.set_nonblocking(true).unwrap();
        Client { socket, each: variant(c"send"), unsent: false }
    }

    fn put(&mut self, data: &[u8]) {
        let message = Message::Binary(Bytes::copy_from_slice(data));
        self.unsent = if self.each { !sent(self.socket.send(message)) } else { !sent(self.socket.write(message)) };
    }

    fn flush(&mut self) {
        if !self.each || self.unsent {
            self.unsent = !sent(self.socket.flush());
        }
    }

    fn poll(&mut self) {
        if self.unsent {
            self.flush();
        }
        loop {
            match self.socket.read() {
                Ok(Message::Binary(data)) => got(&data),
                Ok(other) => panic!("{other:?}"),
                Err(Error::Io(error)) if error.kind() == WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Server {
    fn open() -> (Server, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let poll = Poll::new().unwrap();
        poll.registry().register(&mut SourceFd(&listener.as_raw_fd()), LISTENER, Interest::READABLE).unwrap();
        (
            Server { listener, poll, events: Events::with_capacity(256), sockets: Vec::new(), each: variant(c"send") },
            port,
        )
    }

    /// The load program sends its request at once, so the handshake is made here, blocking.
    fn accept_all(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            stream.set_nonblocking(false).unwrap();
            stream.set_nodelay(true).unwrap();
            let socket = accept_with_config(stream, Some(config())).unwrap();
            socket.get_ref().set_nonblocking(true).unwrap();
            let fd = socket.get_ref().as_raw_fd();
            self.poll
                .registry()
                .register(&mut SourceFd(&fd), Token(self.sockets.len()), Interest::READABLE | Interest::WRITABLE)
                .unwrap();
            self.sockets.push(Some(socket));
        }
    }

    fn serve(&mut self, index: usize) {
        let Some(socket) = self.sockets[index].as_mut() else { return };
        loop {
            match socket.read() {
                Ok(message) if self.each => drop(sent(socket.send(message))),
                Ok(message) => drop(sent(socket.write(message))),
                Err(Error::Io(error)) if error.kind() == WouldBlock => break,
                Err(_) => return self.sockets[index] = None,
            }
        }
        sent(socket.flush());
    }

    fn poll(&mut self, wait_ms: c_int) {
        match self.poll.poll(&mut self.events, Some(Duration::from_millis(wait_ms as u64))) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return,
            result => result.unwrap(),
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            match event.token() {
                LISTENER => self.accept_all(),
                Token(index) => self.serve(index),
            }
        }
        self.events = events;
    }

    fn put(&mut self, data: &[u8]) {
        let data = Bytes::copy_from_slice(data);
        for socket in self.sockets.iter_mut().flatten() {
            sent(socket.send(Message::Binary(data.clone())));
        }
    }
}

fn with_client<T>(body: impl FnOnce(&mut Client) -> T) -> T {
    CLIENT.with_borrow_mut(|client| body(client.as_mut().expect("client_open comes first")))
}

fn with_server<T>(body: impl FnOnce(&mut Server) -> T) -> T {
    SERVER.with_borrow_mut(|server| body(server.as_mut().expect("server_open comes first")))
}

#[unsafe(no_mangle)]
extern "C" fn client_open(port: c_int, ca: *const c_char) {
    // SAFETY: the harness gave it.
    let ca = unsafe { path(ca) };
    CLIENT.set(Some(Client::open(port as u16, ca)));
}

#[unsafe(no_mangle)]
extern "C" fn client_put(data: *const u8, len: usize) {
    // SAFETY: the harness gave it.
    let data = unsafe { slice(data, len) };
    with_client(|client| client.put(data));
}

#[unsafe(no_mangle)]
extern "C" fn client_flush() {
    with_client(Client::flush);
}

#[unsafe(no_mangle)]
extern "C" fn client_poll() {
    with_client(Client::poll);
}

#[unsafe(no_mangle)]
extern "C" fn server_open() -> c_int {
    let (server, port) = Server::open();
    SERVER.set(Some(server));
    c_int::from(port)
}

#[unsafe(no_mangle)]
extern "C" fn server_poll(wait_ms: c_int) {
    with_server(|server| server.poll(wait_ms));
}

#[unsafe(no_mangle)]
extern "C" fn server_put(data: *const u8, len: usize) {
    // SAFETY: the harness gave it.
    let data = unsafe { slice(data, len) };
    with_server(|server| server.put(data));
}
