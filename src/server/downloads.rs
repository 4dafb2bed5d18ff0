//! Files that a server sends to plain requests (ws_serve). Threads of the library open and read them; a download has a
//! bounded part of its file in memory, and the next block is read when the transport has taken the one before.

use super::Server;
use super::client::{Handshaking, Slot, Standing, count};
use crate::codes::*;
use crate::endpoint::{Options, shown_address};
use crate::files::{Answer, Ask, BLOCK, Content, FilePath, Site, Sites};
use crate::names::{MAX_DOWNLOADS, MAX_DOWNLOADS_PER_ADDRESS, Name};
use crate::net::Mailbox;
use crate::protocol::{Method, Reply};
use crate::work::Cx;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// The sites of a server, and the downloads in progress.
#[derive(Default)]
pub(super) struct Downloads {
    sites: Sites,
    /// By the key of the client.
    active: HashMap<u32, Download>,
    per_address: HashMap<IpAddr, u32>,
    /// What the threads have read. Its key is that of the client, with the serial number above.
    mailbox: Arc<Mailbox<Delivery>>,
    /// Taken from the mailbox, but not handled yet.
    arrived: VecDeque<(u64, Delivery)>,
    /// Number of requests that were answered.
    answered: u64,
}

/// One response with a file.
struct Download {
    serial: u32,
    method: Method,
    keep_alive: bool,
    /// The address that it counts for.
    address: IpAddr,
    /// The rest of the file. `None`: a thread has it, or all of it has been read.
    content: Option<Content>,
}

/// What a thread returns.
enum Delivery {
    /// The response, and the first block of its file.
    Answer(Box<Answer>, io::Result<Vec<u8>>),
    /// The next block.
    Block(Content, io::Result<Vec<u8>>),
}

impl Downloads {
    /// Number of downloads in progress, and of requests that were answered.
    pub(super) fn counts(&self) -> [u64; 2] {
        [self.active.len() as u64, self.answered]
    }

    /// Whether a thread has returned something.
    pub(super) fn has_arrived(&self) -> bool {
        !self.mailbox.is_empty() || !self.arrived.is_empty()
    }

    /// The limit that permits no other download to an address.
    fn exceeded(&self, options: &Options, address: IpAddr) -> Option<Name> {
        let there = self.per_address.get(&address).copied().unwrap_or_default();
        if self.active.len() as u64 >= options.limit(WS_OPT_MAX_DOWNLOADS) {
            return Some(MAX_DOWNLOADS);
        }
        (u64::from(there) >= options.limit(WS_OPT_MAX_DOWNLOADS_PER_ADDRESS)).then_some(MAX_DOWNLOADS_PER_ADDRESS)
    }

    /// Has a thread open the file of a request and read its first block. False: too much waits for the threads.
    fn open(&self, cx: &Cx<'_>, mail_key: u64, ask: Ask) -> bool {
        let mailbox = self.mailbox.clone();
        cx.services.read(move || {
            let mut answer = Box::new(ask.answer(SystemTime::now()));
            let first = match &mut answer.content {
                Some(content) if ask.method == Method::Get => content.read(),
                _ => Ok(Vec::new()),
            };
            mailbox.post(mail_key, Delivery::Answer(answer, first));
        })
    }

    /// Has a thread read the next block of a file.
    fn read_on(&self, cx: &Cx<'_>, mail_key: u64, mut content: Content) -> bool {
        let mailbox = self.mailbox.clone();
        cx.services.read(move || {
            let block = content.read();
            mailbox.post(mail_key, Delivery::Block(content, block));
        })
    }

    fn add(&mut self, key: u32, download: Download) {
        *self.per_address.entry(download.address).or_default() += 1;
        self.answered += 1;
        self.active.insert(key, download);
    }

    /// Removes the download of a client, if it has one.
    pub(super) fn remove(&mut self, key: u32) {
        let Some(download) = self.active.remove(&key) else { return };
        if let Entry::Occupied(mut there) = self.per_address.entry(download.address) {
            *there.get_mut() -= 1;
            if *there.get() == 0 {
                there.remove();
            }
        }
    }
}

impl Server {
    /// Serves the files of a directory to plain requests of clients that connect from now on.
    pub fn serve(&mut self, site: Site) {
        self.plain = true;
        self.has_extras = true;
        self.downloads.get_or_insert_default().sites.set(site);
    }

    /// Serves the directory of a prefix no more. Downloads in progress go on. False: there is none.
    pub fn serve_no_more(&mut self, prefix: &FilePath) -> bool {
        self.downloads.as_mut().is_some_and(|downloads| downloads.sites.remove(prefix))
    }

    /// Number of downloads that one address may have, if files are served: its browser opens that many connections.
    pub(super) fn downloads_of_one(&self) -> u64 {
        match &self.downloads {
            Some(_) => self.endpoint.options.limit(WS_OPT_MAX_DOWNLOADS_PER_ADDRESS),
            None => 0,
        }
    }

    /// Begins to answer the request of a client with a file, if it is for one. `None`: it is not. True: there
    /// is more to read.
    pub(super) fn begin_download(&mut self, cx: &mut Cx<'_>, key: u32) -> Option<bool> {
        let Server { downloads: Some(downloads), slots, settings, endpoint, counts, refusals, queues, asks, .. } = self
        else {
            return None;
        };
        let Some(Slot::Client(client)) = slots.get_mut(key as usize) else { return None };
        let request = client.peer.request()?;
        let reads = matches!(request.method, Method::Get | Method::Head);
        if request.opening.is_some() || (!reads && *asks) {
            return None;
        }
        let path = FilePath::parse(&request.path);
        let site = downloads.sites.find(path.as_ref())?.clone();
        // While many connections wait for a request, none is kept for another one.
        let pending = counts.pending as u64;
        let keep_alive = request.keep_alive && 2 * pending <= endpoint.options.limit(WS_OPT_MAX_PENDING_HANDSHAKES);
        if !reads {
            return Some(self.answer_plain(cx, key, &not_for_files(), keep_alive));
        }
        let address = settings.limited(client.address());
        let (method, serial) = (request.method, client.serial);
        let exceeded = downloads.exceeded(&endpoint.options, address);
        let begun = exceeded.is_none() && {
            let ask = Ask { site, path, query: request.query.clone(), method, headers: request.headers.clone() };
            downloads.open(cx, mail_key(key, serial), ask)
        };
        if !begun {
            let why = exceeded.map_or_else(|| "the disk is too slow".to_owned(), |limit| format!("{limit} is reached"));
            let address = shown_address(client.peer.endpoint.info.remote());
            refusals.log(cx.now, || format!("{address} was refused a file with 503: {why}"));
            return Some(self.answer_plain(cx, key, &busy(), keep_alive));
        }
        client.peer.begin_response(cx.now, endpoint.options.time(WS_OPT_DOWNLOAD_TIMEOUT_MS));
        if let Some(deadline) = client.peer.close_deadline() {
            client.set_timer(key, deadline, queues);
        }
        downloads.add(key, Download { serial, method, keep_alive, address, content: None });
        self.leave_pending(key);
        if let Some(client) = self.client(key) {
            client.progress = Handshaking::Served;
        }
        Some(false)
    }

    /// Answers a plain request with a short response. With `keep_alive` its connection goes on. True: there is more to
    /// read.
    fn answer_plain(&mut self, cx: &mut Cx<'_>, key: u32, response: &Reply, keep_alive: bool) -> bool {
        let Some(client) = self.client(key) else { return false };
        client.progress = if keep_alive { Handshaking::PendingAgain } else { Handshaking::Answered };
        client.peer.respond(cx, response, keep_alive);
        if keep_alive {
            self.idle.push(key)
        } else {
            self.idle.remove(key)
        }
        self.back_to_proxy(key);
        self.client(key).is_some_and(|client| client.peer.pump(cx) || client.peer.request().is_some())
    }

    /// Takes what the threads have read, for at most an eighth of the budget: the rest is for messages. True:
    /// there is more.
    #[inline(never)]
    pub(super) fn take_blocks(&mut self, cx: &mut Cx<'_>) -> bool {
        let Some(downloads) = &mut self.downloads else { return false };
        if !downloads.has_arrived() {
            return false;
        }
        downloads.arrived.extend(downloads.mailbox.take());
        let mut eighth = cx.budget.eighth();
        loop {
            let Some(downloads) = &mut self.downloads else { return false };
            let Some((mail_key, delivery)) = downloads.arrived.pop_front() else { return false };
            self.deliver(cx, mail_key, delivery);
            if eighth.is_spent() {
                return true;
            }
        }
    }

    /// Passes what a thread has read to its client.
    fn deliver(&mut self, cx: &mut Cx<'_>, from: u64, delivery: Delivery) {
        let Server { downloads: Some(downloads), slots, queues, refusals, .. } = self else { return };
        let key = from as u32;
        let Some(Slot::Client(client)) = slots.get_mut(key as usize) else { return };
        let Some(download) = downloads.active.get_mut(&key).filter(|download| mail_key(key, download.serial) == from)
        else {
            return;
        };
        let (content, block) = match delivery {
            Delivery::Answer(answer, first) => {
                let Answer { response, content } = *answer;
                client.peer.send_part(match &content {
                    Some(content) => response.head(content.len, download.keep_alive, None),
                    None => response.to_bytes(download.method, download.keep_alive),
                });
                (content.filter(|_| download.method == Method::Get), first)
            }
            Delivery::Block(content, block) => (Some(content), block),
        };
        match block {
            Ok(block) => {
                client.peer.send_part(block);
                download.content = content.filter(|content| !content.is_over());
                if download.content.is_none() {
                    client.peer.end_response(download.keep_alive);
                }
                queues.ready.push_behind(key);
            }
            Err(error) => {
                let address = shown_address(client.peer.endpoint.info.remote());
                refusals.log(cx.now, || format!("a file for {address} could not be read: {}", error.kind()));
                self.cut_off(cx, key);
            }
        }
    }

    /// After a client's transport has taken bytes: has the next block of its file read, or ends its download.
    #[inline(never)]
    pub(super) fn go_on_with_download(&mut self, cx: &mut Cx<'_>, key: u32) {
        let Server { downloads: Some(downloads), slots, queues, settings, endpoint, counts, .. } = self else { return };
        let Some(Slot::Client(client)) = slots.get_mut(key as usize) else { return };
        let Some(download) = downloads.active.get_mut(&key) else { return };
        if client.peer.is_streaming() {
            let has_room = client.peer.queued_bytes() <= BLOCK;
            if let Some(content) = download.content.take_if(|_| has_room) {
                let mail_key = mail_key(key, download.serial);
                if !downloads.read_on(cx, mail_key, content) {
                    self.cut_off(cx, key);
                }
            }
        } else if client.peer.awaits_request() {
            // For the next request, like a client that has just connected.
            client.progress = Handshaking::PendingAgain;
            counts.pending += 1;
            if client.standing.is(Standing::KNOWN) {
                count(&mut counts.per_address, settings.limited(client.address()), |there| there.pending += 1);
            }
            if let Some(time) = endpoint.options.time(WS_OPT_HANDSHAKE_TIMEOUT_MS) {
                client.set_timer(key, cx.now + time, queues);
            }
            downloads.remove(key);
            self.idle.push(key);
            self.back_to_proxy(key);
        }
    }

    /// Ends a response within its body: the client sees that it is shorter than its Content-Length.
    fn cut_off(&mut self, cx: &mut Cx<'_>, key: u32) {
        if let Some(client) = self.client(key) {
            client.peer.close(cx, -1, "");
        }
        self.take_changes(cx, key, None);
    }
}

/// The key of a delivery to a client.
fn mail_key(key: u32, serial: u32) -> u64 {
    u64::from(serial) << 32 | u64::from(key)
}

/// The response to a method that files do not have (RFC 9110 section 15.5.6).
fn not_for_files() -> Reply {
    let headers = vec![("Allow".to_owned(), "GET, HEAD".to_owned())];
    Reply { status: 405, headers, body: b"files are read with GET and HEAD\n".to_vec() }
}

/// The response beyond a limit.
fn busy() -> Reply {
    let headers = vec![("Retry-After".to_owned(), "1".to_owned())];
    Reply { status: 503, headers, body: b"too many downloads; try again later\n".to_vec() }
}
