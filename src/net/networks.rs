//! Networks as lists of address prefixes (RFC 4632, RFC 4291).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Maximum number of networks in a list.
const MAX_NETWORKS: usize = 1_024;

/// A list of networks.
#[derive(Debug, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u32)>);

impl Networks {
    /// Parses "10.0.0.0/8, 192.168.1.5, fd00::/8". A missing length means one address. `Err` describes the defect.
    pub fn parse(list: &str) -> Result<Networks, String> {
        let items: Vec<&str> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        if items.is_empty() || items.len() > MAX_NETWORKS {
            return Err(format!("it has {} networks: give 1 to {MAX_NETWORKS}, separated by commas", items.len()));
        }
        items
            .into_iter()
            .enumerate()
            .map(|(index, item)| network(item, index + 1))
            .collect::<Result<_, _>>()
            .map(Networks)
    }

    /// Whether an address is in one of the networks. An IPv4 address mapped to IPv6 is an IPv4 address.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0
            .iter()
            .any(|(network, bits)| network.is_ipv4() == address.is_ipv4() && prefix(address, *bits) == *network)
    }
}

fn network(item: &str, number: usize) -> Result<(IpAddr, u32), String> {
    let malformed = || format!("network {number} of the list is no address or CIDR, such as 10.0.0.0/8 or fd00::/8");
    let (address, bits) = item.split_once('/').map_or((item, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| malformed())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => most,
        Some(bits) if !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit()) => {
            bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(malformed)?
        }
        Some(_) => return Err(malformed()),
    };
    if prefix(address, bits) != address {
        return Err(format!(
            "network {number} of the list has bits beyond its length: write {}/{bits}",
            prefix(address, bits)
        ));
    }
    // ::ffff:10.0.0.0/104 is written for 10.0.0.0/8.
    Ok(match address.to_canonical() {
        canonical if canonical.is_ipv4() && address.is_ipv6() && bits >= 96 => (canonical, bits - 96),
        _ => (address, bits),
    })
}

/// An address with all but its first `bits` bits cleared.
pub fn prefix(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            Ipv4Addr::from_bits(ip.to_bits() & u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0)).into()
        }
        IpAddr::V6(ip) => {
            Ipv6Addr::from_bits(ip.to_bits() & u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(list: &str, address: &str) -> bool {
        Networks::parse(list).unwrap().contain(address.parse().unwrap())
    }

    #[test]
    fn a_list_contains_the_addresses_of_its_networks() {
        for (list, address, is_in) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("::ffff:10.0.0.0/104", "10.1.1.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1/32 , ::1", "::1", true),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.7", false),
            ("fd00::/8,", "fd12:3456::1", true),
            ("2001:db8:0:8000::/49", "2001:db8:0:8001::1", true),
            ("2001:db8:0:8000::/49", "2001:db8:0:7fff::1", false),
            ("192.168.4.0/22", "192.168.7.255", true),
            ("192.168.4.0/22", "192.168.8.0", false),
        ] {
            assert_eq!(contains(list, address), is_in, "{address} in {list}");
        }
    }

    #[test]
    fn malformed_lists_are_refused() {
        for (list, part) in [
            ("", "0 networks"),
            (" , ", "0 networks"),
            ("localhost", "network 1"),
            ("127.0.0.1, 10.0.0.0/33", "network 2"),
            ("::/129", "network 1"),
            ("10.0.0.0/", "network 1"),
            ("10.0.0.0/+8", "network 1"),
            ("10.0.0.0/8/8", "network 1"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("fd00::1/64", "write fd00::/64"),
            ("10.0.0/8", "network 1"),
            ("127.0.0.1:80", "network 1"),
        ] {
            let why = Networks::parse(list).unwrap_err();
            assert!(why.contains(part), "{list}: {why}");
        }
        assert!(Networks::parse(&"::1,".repeat(MAX_NETWORKS + 1)).is_err());
    }

    #[test]
    fn a_prefix_has_zeros_behind_it() {
        for (address, bits, expected) in [
            ("255.255.255.255", 0, "0.0.0.0"),
            ("255.255.255.255", 9, "255.128.0.0"),
            ("1.2.3.4", 32, "1.2.3.4"),
            ("1.2.3.4", 64, "1.2.3.4"),
            ("ffff:ffff::ffff", 0, "::"),
            ("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::"),
            ("2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6"),
        ] {
            assert_eq!(prefix(address.parse().unwrap(), bits), expected.parse::<IpAddr>().unwrap(), "{address}/{bits}");
        }
    }
}
