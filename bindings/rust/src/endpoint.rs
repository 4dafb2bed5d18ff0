//! Connections and servers that are owned: polled, read, and freed at their end.

use crate::codes::{ErrorCode, Role};
use crate::config_fields::Config;
use crate::error::{Error, Result};
use crate::event::{Event, Message};
use crate::handle::{Conn, Handle, HostRef, JoinRef, ServerRef};
use crate::inbox::{Events, Inbox, Messages};
use crate::sys::{self, Open};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use wspeer_core::codes as c;
use wspeer_core::ffi;

/// The owners that are alive. What they lent would dangle after a shutdown.
static ALIVE: AtomicUsize = AtomicUsize::new(0);
/// Held for reading while one opens, and for writing by a shutdown, which ends them all.
static OPENING: RwLock<()> = RwLock::new(());

/// What a poll left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Polled {
    /// Nothing: all that could be done is done.
    Done,
    /// Work: the time budget is exhausted, and the next poll continues. A program with time left may poll at once.
    More,
}

/// A connection or server that is owned: [`Client`], [`Server`], [`Host`] or [`Join`]. It is freed when it is dropped:
/// to be sure that everything was sent, call `close()` and poll until [`Event::Closed`] first.
///
/// What it can do besides is in its handle, which it dereferences to: [`Conn`], [`ServerRef`], [`HostRef`], [`JoinRef`].
/// While events are borrowed, call that of a copy:
///
/// ```
/// # let mut pair = wspeer::Pair::open()?;
/// let conn = pair.server.handle();
/// for event in pair.server.events() {
///     if let wspeer::Event::Message(message) = event {
///         conn.send(message)?;
///     }
/// }
/// # Ok::<(), wspeer::Error>(())
/// ```
///
/// It can be moved to another thread, and its handle used from any.
pub struct Endpoint<H: Handle> {
    handle: H,
    inbox: Inbox,
}

impl<H: Handle> Endpoint<H> {
    /// Owns what `open` opens.
    fn open(open: impl FnOnce() -> Result<u32>) -> Result<Endpoint<H>> {
        let _opening = OPENING.read().unwrap_or_else(PoisonError::into_inner);
        open().map(Endpoint::own)
    }

    fn own(raw: u32) -> Endpoint<H> {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Endpoint { handle: H::from_raw(raw), inbox: Inbox::default() }
    }

    /// Does its work: connects, accepts, reads, answers pings, writes. Call it once a frame. It never blocks, and works
    /// for at most [`Config::poll_budget_us`]. A server polls its clients too.
    pub fn poll(&mut self) -> Result<Polled> {
        self.inbox.forget_turns();
        let result = sys::check(ffi::ws_poll(self.handle.raw()))?;
        Ok(if result == c::WS_MORE { Polled::More } else { Polled::Done })
    }

    /// The next events, in order. They are taken in batches of up to 1024: the rest of a longer queue comes with the next
    /// call, as does what a loop that ends early leaves. So a loop over frames ends at [`Event::Closed`], not when
    /// `is_closed()` says that the connection has ended, as events may still be queued then.
    ///
    /// ```
    /// # use wspeer::Event;
    /// # let mut pair = wspeer::Pair::open()?;
    /// # for _ in 0..9 { pair.client.poll()?; pair.server.poll()?; }
    /// for event in pair.client.events() {
    ///     match event {
    ///         Event::Open(_) => println!("open"),
    ///         Event::Message(message) => println!("{:?}", message.text()),
    ///         Event::Closed(end) => println!("{}", end.sentence),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok::<(), wspeer::Error>(())
    /// ```
    pub fn events(&mut self) -> Events<'_> {
        self.inbox.events(self.handle.raw())
    }

    /// The next event, or `None`: ask again after the next poll.
    pub fn next_event(&mut self) -> Option<Event<'_>> {
        self.inbox.next_event(self.handle.raw())
    }

    /// The next messages, in batches as [`events`](Endpoint::events); other events stay queued.
    pub fn messages(&mut self) -> Messages<'_> {
        self.inbox.messages_of(self.handle.raw())
    }

    /// The next message; other events stay queued.
    pub fn next_message(&mut self) -> Option<Message<'_>> {
        self.inbox.next_message(self.handle.raw())
    }

    /// Number of messages that can be taken.
    pub fn available(&self) -> usize {
        usize::try_from(ffi::ws_get_available(self.handle.raw())).unwrap_or(0) + self.inbox.messages()
    }
}

impl<H: Handle> Deref for Endpoint<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.handle
    }
}

impl<H: Handle> Drop for Endpoint<H> {
    fn drop(&mut self) {
        ffi::ws_free(self.handle.raw());
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<H: Handle> fmt::Debug for Endpoint<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("handle", &self.handle.raw()).finish_non_exhaustive()
    }
}

/// A client: a connection to a server, or an end of a [`Pair`].
pub type Client = Endpoint<Conn>;
/// A server.
pub type Server = Endpoint<ServerRef>;
/// A multiplayer host, which is peer 1: a server whose clients have ids.
pub type Host = Endpoint<HostRef>;
/// A client of a multiplayer host, of wspeer's or Godot's.
pub type Join = Endpoint<JoinRef>;

impl Endpoint<Conn> {
    /// Opens a connection: "ws://game.example:9080/room", "wss://...". It returns at once;
    /// [`Event::Open`] or [`Event::Closed`] follows.
    ///
    /// ```
    /// let mut client = wspeer::Client::connect("ws://127.0.0.1:9080")?;
    /// client.poll()?;
    /// # Ok::<(), wspeer::Error>(())
    /// ```
    pub fn connect(url: &str) -> Result<Client> {
        Client::connect_with(url, &Config::new())
    }

    /// Opens a connection with settings.
    pub fn connect_with(url: &str, config: &Config) -> Result<Client> {
        config.with_raw(|raw| Endpoint::open(|| sys::open(Open::Connect, url, raw)))
    }

    /// Opens a connection to find out why it cannot be opened: it reports [`Event::Step`] for each step, and
    /// [`Event::Closed`] with advice.
    pub fn diagnose(url: &str, config: &Config) -> Result<Client> {
        config.with_raw(|raw| Endpoint::open(|| sys::open(Open::Diagnose, url, raw)))
    }
}

impl Endpoint<ServerRef> {
    /// Opens a server: "ws://127.0.0.1:9080", "wss://\[::\]:443", "ws://*:9080". Port 0 chooses a free one.
    ///
    /// ```
    /// let server = wspeer::Server::listen("ws://127.0.0.1:0")?;
    /// assert_ne!(server.port(), 0);
    /// # Ok::<(), wspeer::Error>(())
    /// ```
    pub fn listen(url: &str) -> Result<Server> {
        Server::listen_with(url, &Config::new())
    }

    /// Opens a server with settings.
    pub fn listen_with(url: &str, config: &Config) -> Result<Server> {
        config.with_raw(|raw| Endpoint::open(|| sys::open(Open::Listen, url, raw)))
    }

    /// The next event of one of the clients for which `wanted` returns true. What others sent stays in their queues,
    /// and when a queue is full, TCP slows its sender down: for programs that pass messages on, and wait until the
    /// receiver has room. What a loop over [`events`](Endpoint::events) left comes first, whose ever it is; events of
    /// the server itself come only by [`events`](Endpoint::events) and [`next_event`](Endpoint::next_event).
    ///
    /// [`wait`](crate::wait) for the server returns at once while events of other clients wait.
    ///
    /// ```
    /// # use wspeer::{Conn, Event, Server};
    /// # use std::collections::HashMap;
    /// let mut server = Server::listen("ws://127.0.0.1:0")?;
    /// let mut unsent: HashMap<Conn, wspeer::OwnedMessage> = HashMap::new();
    /// server.poll()?;
    /// unsent.retain(|conn, message| conn.send(&*message).is_err_and(|error| error.is_full()));
    /// while let Some(event) = server.next_event_from(|conn| !unsent.contains_key(&conn)) {
    ///     if let Event::Message(message) = event
    ///         && let Err(error) = message.conn().send(message)
    ///         && error.is_full()
    ///     {
    ///         unsent.insert(message.conn(), message.to_owned());
    ///     }
    /// }
    /// # Ok::<(), wspeer::Error>(())
    /// ```
    pub fn next_event_from(&mut self, wanted: impl FnMut(Conn) -> bool) -> Option<Event<'_>> {
        self.inbox.next_event_from(self.handle.raw(), wanted)
    }
}

impl Endpoint<HostRef> {
    /// Opens a multiplayer host: the URL is as for [`Server::listen`].
    pub fn listen(url: &str) -> Result<Host> {
        Host::listen_with(url, &Config::new())
    }

    /// Opens a multiplayer host with settings, such as [`Config::scene`] or [`Config::godot3`].
    pub fn listen_with(url: &str, config: &Config) -> Result<Host> {
        config.with_raw(|raw| Endpoint::open(|| sys::open(Open::Host, url, raw)))
    }

    /// The player on the host's own machine, connected in memory. Poll both.
    pub fn join_local(&self, config: &Config) -> Result<Join> {
        config.with_raw(|raw| Endpoint::open(|| sys::join_local(self.handle.raw(), raw)))
    }
}

impl Endpoint<JoinRef> {
    /// Joins a multiplayer host: the URL is as for [`Client::connect`].
    pub fn connect(url: &str) -> Result<Join> {
        Join::connect_with(url, &Config::new())
    }

    /// Joins a multiplayer host with settings, such as [`Config::scene`] or [`Config::godot3`].
    pub fn connect_with(url: &str, config: &Config) -> Result<Join> {
        config.with_raw(|raw| Endpoint::open(|| sys::open(Open::Join, url, raw)))
    }
}

/// Two connections that talk to each other in memory by the real protocol: for a local player, and for tests.
///
/// ```
/// use wspeer::{Event, Pair};
///
/// let Pair { mut server, mut client } = Pair::open()?;
/// let mut heard = String::new();
/// while heard.is_empty() {
///     client.poll()?;
///     let conn = client.handle();
///     for event in client.events() {
///         if let Event::Open(_) = event {
///             conn.send("hello")?;
///         }
///     }
///     server.poll()?;
///     for message in server.messages() {
///         heard += message.text().unwrap_or("bytes");
///     }
/// }
/// assert_eq!(heard, "hello");
/// # Ok::<(), wspeer::Error>(())
/// ```
#[derive(Debug)]
pub struct Pair {
    /// The server's end.
    pub server: Client,
    /// The client's end.
    pub client: Client,
}

impl Pair {
    /// Opens both ends.
    pub fn open() -> Result<Pair> {
        Pair::open_with(&Config::new())
    }

    /// Opens both ends with settings.
    pub fn open_with(config: &Config) -> Result<Pair> {
        let _opening = OPENING.read().unwrap_or_else(PoisonError::into_inner);
        let (server, client) = config.with_raw(sys::pair)?;
        Ok(Pair { server: Endpoint::own(server), client: Endpoint::own(client) })
    }
}

/// A connection whose bytes the program transports itself: another transport, a recording, a test. Else it is a
/// [`Client`], which it dereferences to.
#[derive(Debug)]
pub struct Attached(Client);

impl Attached {
    /// Opens the client's or the server's end.
    ///
    /// ```
    /// use wspeer::{Attached, Config, Role};
    /// let mut client = Attached::open(Role::Client, &Config::new())?;
    /// client.poll()?;
    /// let mut bytes = [0; 1024];
    /// let length = client.take_output(&mut bytes);
    /// assert!(bytes[..length].starts_with(b"GET / HTTP/1.1\r\n"));
    /// # Ok::<(), wspeer::Error>(())
    /// ```
    pub fn open(role: Role, config: &Config) -> Result<Attached> {
        config.with_raw(|raw| Endpoint::open(|| sys::attach(role as i32, raw))).map(Attached)
    }

    /// Passes bytes that the transport received; the next poll processes them. Returns how many were taken: pass the
    /// others later.
    pub fn feed(&self, bytes: &[u8]) -> Result<usize> {
        sys::feed(self.handle.raw(), bytes)
    }

    /// Reports the end of the transport.
    pub fn feed_end(&self) -> Result<()> {
        sys::feed_end(self.handle.raw())
    }

    /// Takes bytes to send, and returns their number: call it after each poll and each message, until it returns 0.
    pub fn take_output(&self, buffer: &mut [u8]) -> usize {
        sys::take_output(self.handle.raw(), buffer)
    }
}

impl Deref for Attached {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
    }
}

impl DerefMut for Attached {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.0
    }
}

/// Forgets the TLS sessions that a later client could resume, and asks the library's threads to end, without waiting
/// for them. It fails with [`ErrorCode::State`] while a connection or server is there. The library works again after the
/// next open.
pub fn shutdown() -> Result<()> {
    let _alone = OPENING.write().unwrap_or_else(PoisonError::into_inner);
    match ALIVE.load(Ordering::Relaxed) {
        0 => {
            ffi::ws_shutdown();
            Ok(())
        }
        alive => Err(Error::new(ErrorCode::State, format!("{alive} connections or servers are open: drop them first"))),
    }
}

/// Frees everything that was opened with this [`Config::owner`]: for programs that load their code anew, and do not drop
/// what the old code had. Calls on what was freed fail with [`ErrorCode::Handle`].
///
/// # Safety
/// No event or message of what it frees is held: its bytes would be gone.
#[allow(unsafe_code)]
pub unsafe fn free_owner(owner: u32) {
    ffi::ws_free_owner(owner);
}
