//! Systems that let a program reach the local network only with the user's permission, and how a missing permission
//! shows: docs/platforms.md.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};

/// What guards the local network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// iOS from 14, macOS from 15: connecting fails with "no route to host".
    Apple,
    /// Android from 17: connecting gets no answer. Sending fails with EPERM.
    Android,
    /// Nothing.
    Nobody,
}

/// What guards the local network on this system.
pub const GUARD: Guard = match () {
    _ if cfg!(target_vendor = "apple") => Guard::Apple,
    _ if cfg!(target_os = "android") => Guard::Android,
    _ => Guard::Nobody,
};

/// Whether no router passes packets for an address on to the internet. The loopback addresses are not of this kind: a
/// program may always reach its own device.
pub fn is_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || is_shared(ip),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unique_local(),
    }
}

/// Addresses behind a provider's translation (RFC 6598), which Android counts as local.
fn is_shared(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && second & 0xc0 == 64
}

/// Why connecting to an address failed, if a missing permission explains it.
pub fn missing_permission(guard: Guard, ip: IpAddr, error: ErrorKind) -> Option<&'static str> {
    match (guard, error) {
        _ if !is_local(ip) => None,
        (Guard::Apple, ErrorKind::HostUnreachable) => Some(
            "the other device is off, or the user has not let this app reach the local network: ask to allow it in \
             the settings, under Privacy & Security, Local Network",
        ),
        (Guard::Android, ErrorKind::PermissionDenied) => Some(ANDROID),
        _ => None,
    }
}

/// Why an address did not answer, if a missing permission may explain it.
pub fn silent_permission(guard: Guard, ip: IpAddr) -> Option<&'static str> {
    (guard == Guard::Android && is_local(ip)).then_some(ANDROID)
}

const ANDROID: &str = "Android may not let this app reach the local network: declare and request the permission \
                       ACCESS_LOCAL_NETWORK; else check address, port and firewall";

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    #[test]
    fn local_addresses_are_those_that_no_router_passes_on() {
        let local = [
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.168.255.255",
            "169.254.0.1",
            "100.64.0.0",
            "100.127.255.255",
            "fe80::1",
            "febf::1",
            "fc00::1",
            "fdff::1",
            "::ffff:192.168.1.2",
        ];
        let others = [
            "9.255.255.255",
            "11.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "169.253.255.255",
            "100.63.255.255",
            "100.128.0.0",
            "127.0.0.1",
            "8.8.8.8",
            "::1",
            "2001:db8::1",
            "fec0::1",
            "fbff::1",
            "fe00::1",
            "::ffff:8.8.8.8",
        ];
        for (addresses, expected) in [(local.as_slice(), true), (others.as_slice(), false)] {
            for address in addresses {
                assert_eq!(is_local(address.parse().unwrap()), expected, "{address}");
            }
        }
    }

    #[test]
    fn a_permission_is_missing_only_where_the_system_asks_for_one_and_fails_that_way() {
        let [lan, internet, own] =
            ["192.168.1.2", "203.0.113.1", "127.0.0.1"].map(|address: &str| address.parse::<IpAddr>().unwrap());
        let errors = [ErrorKind::HostUnreachable, ErrorKind::PermissionDenied, ErrorKind::ConnectionRefused];
        let explained = |guard, ip| errors.map(|error| missing_permission(guard, ip, error).is_some());
        assert_eq!(explained(Guard::Apple, lan), [true, false, false]);
        assert_eq!(explained(Guard::Android, lan), [false, true, false]);
        assert_eq!(explained(Guard::Nobody, lan), [false; 3]);
        for guard in [Guard::Apple, Guard::Android, Guard::Nobody] {
            for ip in [internet, own, Ipv6Addr::LOCALHOST.into()] {
                assert_eq!((explained(guard, ip), silent_permission(guard, ip)), ([false; 3], None), "{guard:?} {ip}");
            }
            assert_eq!(silent_permission(guard, lan).is_some(), guard == Guard::Android);
        }
        assert!(missing_permission(Guard::Apple, lan, ErrorKind::HostUnreachable).unwrap().contains("Local Network"));
        assert!(silent_permission(Guard::Android, lan).unwrap().contains("ACCESS_LOCAL_NETWORK"));
    }
}
