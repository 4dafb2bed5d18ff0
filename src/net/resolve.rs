//! Name lookup on threads of the library, because the system's lookup blocks.

use crate::error::Failure;
use crate::quiet;
use crate::status::{Cause, Phase};
use parking_lot::{Condvar, Mutex};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// Maximum number of lookups at once.
const MAX_THREADS: usize = 8;
/// Idle time after which a thread ends.
const IDLE: Duration = Duration::from_secs(10);

/// The lookup of one name, shared by all that request it. Its addresses have port 0, and a link-local one has the index
/// of its interface.
pub struct Lookup {
    result: Mutex<Option<Result<Vec<SocketAddr>, Failure>>>,
}

impl Lookup {
    /// The result, once it is available.
    pub fn result(&self) -> Option<Result<Vec<SocketAddr>, Failure>> {
        self.result.lock().clone()
    }
}

/// The addresses of a host, with port 0, or their lookup.
pub enum Names {
    /// They are known.
    Known(Vec<SocketAddr>),
    /// They are being looked up.
    Sought(Arc<Lookup>),
}

impl Names {
    /// The addresses, once they are known.
    pub fn result(&self) -> Option<Result<Vec<SocketAddr>, Failure>> {
        match self {
            Names::Known(addresses) => Some(Ok(addresses.clone())),
            Names::Sought(lookup) => lookup.result(),
        }
    }
}

type System = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Looks up names on its own threads.
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    system: Box<System>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(String, Weak<Lookup>)>,
    running: HashMap<String, Weak<Lookup>>,
    threads: usize,
    idle: usize,
    stopped: bool,
}

impl Resolver {
    /// Starts no thread yet. `wake` is called after each result.
    pub fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Resolver {
        Resolver::with_system(wake, Box::new(|name| Ok((name, 0).to_socket_addrs()?.collect())))
    }

    /// Like `new`, with another lookup than the system's.
    pub(super) fn with_system(wake: Arc<dyn Fn() + Send + Sync>, system: Box<System>) -> Resolver {
        Resolver { shared: Arc::new(Shared { state: Mutex::default(), work: Condvar::new(), system, wake }) }
    }

    /// The addresses of a host, at once for literals and localhost; otherwise a lookup whose result comes later.
    pub fn resolve(&self, host: &str) -> Result<Vec<SocketAddr>, Arc<Lookup>> {
        if let Some(address) = literal(host) {
            return Ok(vec![address]);
        }
        // RFC 6761 section 6.3.
        let lower = host.trim_end_matches('.').to_ascii_lowercase();
        if lower == "localhost" || lower.ends_with(".localhost") {
            return Ok([Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]
                .map(|ip: IpAddr| SocketAddr::new(ip, 0))
                .to_vec());
        }
        Err(self.look_up(lower))
    }

    /// Asks the threads to end, without waiting for them.
    pub fn stop(&self) {
        self.shared.state.lock().stopped = true;
        self.shared.work.notify_all();
    }

    fn look_up(&self, name: String) -> Arc<Lookup> {
        let mut state = self.shared.state.lock();
        state.stopped = false;
        if let Some(lookup) = state.running.get(&name).and_then(Weak::upgrade) {
            return lookup;
        }
        let lookup = Arc::new(Lookup { result: Mutex::new(None) });
        state.running.insert(name.clone(), Arc::downgrade(&lookup));
        state.queue.push_back((name, Arc::downgrade(&lookup)));
        if state.idle < state.queue.len() && state.threads < MAX_THREADS {
            let shared = self.shared.clone();
            match thread::Builder::new().name("wspeer-dns".to_owned()).spawn(move || quiet::catch(|| run(&shared))) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    state.queue.pop_back();
                    let failure = Failure::of_io(
                        Phase::Dns,
                        Cause::Resources,
                        "no thread can be started for the name lookup",
                        &error,
                    );
                    *lookup.result.lock() = Some(Err(failure));
                }
                Err(_) => {}
            }
        }
        self.shared.work.notify_one();
        lookup
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Parses a literal address, IPv6 also with the index of its interface: "fe80::1%2".
fn literal(host: &str) -> Option<SocketAddr> {
    let plain = host.parse().map(|ip: IpAddr| SocketAddr::new(ip, 0)).ok();
    plain.or_else(|| Some(format!("[{host}]:0").parse::<SocketAddrV6>().ok()?.into()))
}

/// The index of the interface that the zone (RFC 4007 section 11) of a link-local address names.
pub fn interface(address: Ipv6Addr, zone: &str) -> Option<u32> {
    if !address.is_unicast_link_local() {
        return None;
    }
    if let Ok(number) = zone.parse::<u32>() {
        return (number != 0).then_some(number);
    }
    // The system parses an address with a zone without a lookup.
    let found = (format!("{address}%{zone}"), 0).to_socket_addrs().ok()?;
    found
        .filter_map(|found| if let SocketAddr::V6(found) = found { Some(found.scope_id()) } else { None })
        .find(|number| *number != 0)
}

/// Whether this is a link-local address that lacks the index of its interface.
pub fn lacks_interface(address: &SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(address) if address.ip().is_unicast_link_local() && address.scope_id() == 0)
}

fn run(shared: &Shared) {
    let mut state = shared.state.lock();
    loop {
        if let Some((name, lookup)) = state.queue.pop_front() {
            // Skipped if nobody waits for the result any more.
            if let Some(asked) = lookup.upgrade() {
                drop(state);
                let found = quiet::catch(|| (shared.system)(&name));
                let result = addresses_of(&name, found.unwrap_or_else(|| Err(io::Error::other("the lookup panicked"))));
                *asked.result.lock() = Some(result);
                (shared.wake)();
                state = shared.state.lock();
            }
            // The name may have been requested again meanwhile, by a lookup that stays.
            if state.running.get(&name).is_some_and(|running| running.ptr_eq(&lookup)) {
                state.running.remove(&name);
            }
            continue;
        }
        if state.stopped {
            break;
        }
        state.idle += 1;
        let waited = shared.work.wait_for(&mut state, IDLE);
        state.idle -= 1;
        if waited.timed_out() && state.queue.is_empty() {
            break;
        }
    }
    state.threads -= 1;
}

fn addresses_of(name: &str, found: io::Result<Vec<SocketAddr>>) -> Result<Vec<SocketAddr>, Failure> {
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => {
            let why = format!("the host {name:?} has no address: check the spelling");
            Err(Failure::new(Phase::Dns, Cause::NameNotFound, why))
        }
        Err(error) => {
            // The system's lookup reports its reasons only as text.
            let words = error.to_string().to_ascii_lowercase();
            let unknown = ["not known", "no address", "no such host", "nodename", "host not found"]
                .iter()
                .any(|known| words.contains(known));
            let cause = if unknown { Cause::NameNotFound } else { Cause::NameFailed };
            let what = format!("the host {name:?} was not found: check the spelling and the network");
            Err(Failure::of_io(Phase::Dns, cause, &what, &error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    fn wait_for(lookup: &Lookup) -> Result<Vec<SocketAddr>, Failure> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(result) = lookup.result() {
                return result;
            }
            assert!(Instant::now() < end, "the lookup did not end");
            thread::yield_now();
        }
    }

    #[test]
    fn address_literals_and_localhost_resolve_without_a_lookup() {
        let resolver = Resolver::with_system(Arc::new(|| {}), Box::new(|_| panic!("the system was asked")));
        let addresses = |host: &str| {
            resolver.resolve(host).ok().map(|all| all.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(addresses("127.0.0.1").unwrap(), "127.0.0.1:0");
        assert_eq!(addresses("::1").unwrap(), "[::1]:0");
        assert_eq!(addresses("fe80::1%7").unwrap(), "[fe80::1%7]:0");
        assert_eq!(resolver.resolve("game.LOCALHOST").ok().map(|all| all.len()), Some(2));
    }

    #[test]
    fn equal_names_share_a_lookup_and_a_slow_one_delays_no_other() {
        let (gate, asked) = (Arc::new((Mutex::new(false), Condvar::new())), Arc::new(AtomicUsize::new(0)));
        let (inside, count) = (gate.clone(), asked.clone());
        let system = move |name: &str| {
            if name == "slow" {
                count.fetch_add(1, Ordering::SeqCst);
                let mut open = inside.0.lock();
                while !*open {
                    inside.1.wait(&mut open);
                }
            }
            Ok(vec![SocketAddr::from(([10, 0, 0, 1], 0))])
        };
        let resolver = Resolver::with_system(Arc::new(|| {}), Box::new(system));
        let slow: Vec<_> = (0..5).map(|_| resolver.resolve("slow").unwrap_err()).collect();
        let quick = resolver.resolve("quick").unwrap_err();
        assert!(wait_for(&quick).is_ok());
        assert!(slow.iter().all(|lookup| lookup.result().is_none()));
        *gate.0.lock() = true;
        gate.1.notify_all();
        assert!(slow.iter().all(|lookup| wait_for(lookup).is_ok()));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_cancelled_and_repeated_name_is_looked_up_once() {
        let (gates, asked) = (Arc::new((Mutex::new([false; 2]), Condvar::new())), Arc::new(AtomicUsize::new(0)));
        let (inside, count) = (gates.clone(), asked.clone());
        let system = move |name: &str| {
            count.fetch_add(usize::from(name == "x"), Ordering::SeqCst);
            let mut open = inside.0.lock();
            while !open[usize::from(name == "x")] {
                inside.1.wait(&mut open);
            }
            Ok(vec![SocketAddr::from(([10, 0, 0, 1], 0))])
        };
        let resolver = Resolver::with_system(Arc::new(|| {}), Box::new(system));
        let busy: Vec<_> =
            (0..MAX_THREADS).map(|index| resolver.resolve(&format!("busy{index}")).unwrap_err()).collect();
        drop(resolver.resolve("x").unwrap_err());
        let again = resolver.resolve("x").unwrap_err();
        gates.0.lock()[0] = true;
        gates.1.notify_all();
        assert!(busy.iter().all(|lookup| wait_for(lookup).is_ok()));
        let end = Instant::now() + Duration::from_secs(20);
        while asked.load(Ordering::SeqCst) == 0 {
            assert!(Instant::now() < end);
            thread::yield_now();
        }
        let third = resolver.resolve("x").unwrap_err();
        assert!(Arc::ptr_eq(&again, &third), "it joins the lookup under way");
        gates.0.lock()[1] = true;
        gates.1.notify_all();
        assert!(wait_for(&third).is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_link_local_address_keeps_its_interface() {
        let found: SocketAddr = "[fe80::1%3]:0".parse().unwrap();
        let resolver = Resolver::with_system(Arc::new(|| {}), Box::new(move |_| Ok(vec![found])));
        assert_eq!(wait_for(&resolver.resolve("console.local").unwrap_err()).unwrap(), [found]);
        assert!(lacks_interface(&"[fe80::1]:9".parse().unwrap()));
        assert!(!lacks_interface(&found) && !lacks_interface(&"[::1]:9".parse().unwrap()));
        let address = Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 1);
        assert_eq!(
            (interface(address, "3"), interface(address, "0"), interface(address, "nothing0")),
            (Some(3), None, None)
        );
        assert_eq!(interface(Ipv6Addr::LOCALHOST, "3"), None);
    }

    #[test]
    fn a_lookup_failure_has_its_cause() {
        let resolver =
            Resolver::with_system(Arc::new(|| {}), Box::new(|_| Err(io::Error::other("Name or service not known"))));
        let failure = wait_for(&resolver.resolve("nowhere.test").unwrap_err()).unwrap_err();
        assert_eq!((failure.phase, failure.cause), (Phase::Dns, Cause::NameNotFound));
        assert!(failure.message.contains("nowhere.test"));
    }
}
