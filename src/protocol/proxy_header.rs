//! The PROXY protocol, versions 1 and 2: the header that a load balancer sends before the bytes of a client
//! (HAProxy's proxy-protocol.txt).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Maximum length of a header. Version 1 has at most 107 bytes; version 2 has 16, the addresses, and TLVs.
pub const MAX_PROXY_HEADER: usize = 4_096;
/// Maximum length of a header of version 1, with its line end.
const MAX_LINE: usize = 107;
/// The 12 bytes with which version 2 begins.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const FIXED: usize = 16;
const LINE_START: &[u8] = b"PROXY ";
/// The TLV with the checksum of the header, PP2_TYPE_CRC32C.
const CRC32C: u8 = 0x03;

/// What the bytes at the start of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// The start of a header.
    Incomplete,
    /// A header of `len` bytes.
    Complete {
        /// Its length.
        len: usize,
        /// The address of the client. `None`: the proxy speaks for itself (LOCAL), or does not know the address or
        /// cannot express it.
        source: Option<SocketAddr>,
    },
    /// No header, or one that violates the protocol: why.
    Invalid(&'static str),
}

impl ProxyHeader {
    /// Parses the bytes received so far, which may continue after the header.
    pub fn parse(bytes: &[u8]) -> ProxyHeader {
        let is_start_of = |whole: &[u8]| whole.starts_with(&bytes[..bytes.len().min(whole.len())]);
        let parsed = if is_start_of(SIGNATURE) {
            version_2(bytes)
        } else if is_start_of(LINE_START) {
            version_1(bytes)
        } else {
            Err("it sent no PROXY header")
        };
        match parsed {
            Ok(Some((len, source))) => ProxyHeader::Complete { len, source },
            Ok(None) => ProxyHeader::Incomplete,
            Err(why) => ProxyHeader::Invalid(why),
        }
    }
}

/// Length and source of a header; `None`: it is incomplete.
type Parsed = Result<Option<(usize, Option<SocketAddr>)>, &'static str>;

/// Section 2.1: "PROXY TCP4 SOURCE DESTINATION PORT PORT\r\n".
fn version_1(bytes: &[u8]) -> Parsed {
    let line = &bytes[..bytes.len().min(MAX_LINE)];
    let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < MAX_LINE { Ok(None) } else { Err("its PROXY header is a line of over 107 bytes") };
    };
    let malformed = "its PROXY header is a malformed line";
    let line = &line[LINE_START.len().min(end)..end];
    if line.split(|byte| *byte == b' ').next() == Some(b"UNKNOWN") {
        // The rest of the line has to be ignored.
        return Ok(Some((end + 2, None)));
    }
    let mut words = std::str::from_utf8(line).map_err(|_| malformed)?.split(' ');
    let protocol = words.next().unwrap_or_default();
    let mut word = || words.next().ok_or(malformed);
    let (source, destination) = (word()?, word()?);
    let (source_port, destination_port) = (word()?, word()?);
    if words.next().is_some() {
        return Err(malformed);
    }
    let address = |text: &str| match protocol {
        "TCP4" => text.parse::<Ipv4Addr>().map(IpAddr::from).map_err(|_| malformed),
        "TCP6" => text.parse::<Ipv6Addr>().map(IpAddr::from).map_err(|_| malformed),
        _ => Err(malformed),
    };
    address(destination)?;
    port(destination_port).ok_or(malformed)?;
    let source = SocketAddr::new(address(source)?, port(source_port).ok_or(malformed)?);
    Ok(Some((end + 2, Some(source))))
}

/// A decimal number without sign and without leading zeros.
fn port(text: &str) -> Option<u16> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

/// Section 2.2.
fn version_2(bytes: &[u8]) -> Parsed {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else { return Ok(None) };
    let &[.., command, family, high, low] = fixed;
    let command = match command {
        0x20 => Command::Local,
        0x21 => Command::Proxy,
        _ => return Err("its PROXY header has an unknown version or command"),
    };
    // The family in the high half, the transport in the low one.
    let addresses = match family {
        0x00 => 0,
        0x11 | 0x12 => 12,
        0x21 | 0x22 => 36,
        0x31 | 0x32 => 216,
        // A receiver accepts a LOCAL header whatever its family is.
        _ if command == Command::Local => 0,
        _ => return Err("its PROXY header has an unknown address family or transport"),
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if FIXED + len > MAX_PROXY_HEADER {
        return Err("its PROXY header is over 4096 bytes");
    }
    let Some(body) = rest.get(..len) else { return Ok(None) };
    if command == Command::Local {
        return Ok(Some((FIXED + len, None)));
    }
    let Some((addresses, tlvs)) = body.split_at_checked(addresses) else {
        return Err("its PROXY header is too short for its addresses");
    };
    check_tlvs(&bytes[..FIXED + len], tlvs)?;
    let source = match (family, addresses) {
        (0x11, [a, b, c, d, _, _, _, _, high, low, ..]) => {
            Some(SocketAddr::new(Ipv4Addr::new(*a, *b, *c, *d).into(), u16::from_be_bytes([*high, *low])))
        }
        (0x21, _) => addresses.first_chunk::<16>().map(|source| {
            let port = u16::from_be_bytes([addresses[32], addresses[33]]);
            SocketAddr::new(Ipv6Addr::from(*source).into(), port)
        }),
        // UNSPEC, UNIX sockets and datagrams: not the address of a client of ours.
        _ => None,
    };
    Ok(Some((FIXED + len, source)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Local,
    Proxy,
}

/// Checks that the TLVs fill the rest of the header, and its checksum if it has one.
fn check_tlvs(header: &[u8], mut tlvs: &[u8]) -> Result<(), &'static str> {
    let malformed = "its PROXY header has malformed TLVs";
    while let Some((&[kind, high, low], rest)) = tlvs.split_first_chunk::<3>() {
        let len = usize::from(u16::from_be_bytes([high, low]));
        let (value, behind) = rest.split_at_checked(len).ok_or(malformed)?;
        if kind == CRC32C {
            let sent = value.try_into().map(u32::from_be_bytes).map_err(|_| malformed)?;
            let at = header.len() - rest.len();
            if crc32c(header, at..at + 4) != sent {
                return Err("its PROXY header has a wrong checksum");
            }
        }
        tlvs = behind;
    }
    if tlvs.is_empty() { Ok(()) } else { Err(malformed) }
}

/// CRC-32C (RFC 4960 appendix B) of the header, with zeros in place of the checksum itself.
fn crc32c(header: &[u8], checksum: std::ops::Range<usize>) -> u32 {
    let bytes = header.iter().enumerate().map(|(at, byte)| if checksum.contains(&at) { 0 } else { *byte });
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of version 2.
    fn made(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        [SIGNATURE, &[command, family], &(body.len() as u16).to_be_bytes(), body].concat()
    }

    const V4: &[u8] = &[203, 0, 113, 7, 10, 0, 0, 1, 0xD4, 0x31, 0x23, 0x28];

    fn complete(len: usize, source: Option<&str>) -> ProxyHeader {
        ProxyHeader::Complete { len, source: source.map(|source| source.parse().unwrap()) }
    }

    /// Every beginning is incomplete, and bytes behind the header change nothing.
    fn check(header: &[u8], source: Option<&str>) {
        for end in 0..header.len() {
            assert_eq!(ProxyHeader::parse(&header[..end]), ProxyHeader::Incomplete, "{end} of {header:?}");
        }
        for behind in [b"".as_slice(), b"G", b"GET / HTTP/1.1\r\n\r\n", &[0x16, 3, 1], &[0; 5_000]] {
            let whole = [header, behind].concat();
            assert_eq!(ProxyHeader::parse(&whole), complete(header.len(), source), "{header:?}");
        }
    }

    fn invalid(bytes: &[u8]) -> &'static str {
        match ProxyHeader::parse(bytes) {
            ProxyHeader::Invalid(why) => why,
            other => panic!("{other:?} of {:?}", String::from_utf8_lossy(bytes)),
        }
    }

    #[test]
    fn headers_of_version_1_cut_at_every_position() {
        check(b"PROXY TCP4 203.0.113.7 10.0.0.1 54321 9000\r\n", Some("203.0.113.7:54321"));
        check(b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Some("255.255.255.255:65535"));
        check(b"PROXY TCP6 2001:db8::7 ::1 1 0\r\n", Some("[2001:db8::7]:1"));
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        check(
            format!("PROXY TCP6 {longest} {longest} 65535 65535\r\n").as_bytes(),
            Some(&format!("[{longest}]:65535")),
        );
        check(b"PROXY UNKNOWN\r\n", None);
        check(b"PROXY UNKNOWN anything \xFF at all\r\n", None);
        check(format!("PROXY UNKNOWN {longest} {longest} 65535 65535\r\n").as_bytes(), None);
    }

    #[test]
    fn malformed_lines_are_refused() {
        for bad in [
            "PROXY TCP4 203.0.113.7 10.0.0.1 54321\r\n",
            "PROXY TCP4 203.0.113.7 10.0.0.1 54321 9000 1\r\n",
            "PROXY TCP4  203.0.113.7 10.0.0.1 54321 9000\r\n",
            "PROXY TCP4 203.0.113.7 10.0.0.1 54321 9000 \r\n",
            "PROXY TCP4 203.0.113.7 10.0.0.1 65536 9000\r\n",
            "PROXY TCP4 203.0.113.7 10.0.0.1 +1 9000\r\n",
            "PROXY TCP4 203.0.113.7 10.0.0.1 01 9000\r\n",
            "PROXY TCP4 203.0.113.07 10.0.0.1 1 9000\r\n",
            "PROXY TCP4 2001:db8::7 ::1 1 0\r\n",
            "PROXY TCP6 203.0.113.7 10.0.0.1 1 0\r\n",
            "PROXY TCP6 2001:db8::7 x 1 0\r\n",
            "PROXY TCP5 203.0.113.7 10.0.0.1 1 0\r\n",
            "PROXY \r\n",
            "PROXY unknown\r\n",
            "PROXY TCP4\t203.0.113.7 10.0.0.1 1 0\r\n",
        ] {
            invalid(bad.as_bytes());
        }
        assert!(invalid(&[b"PROXY UNKNOWN ".as_slice(), &[b'x'; 93]].concat()).contains("107"));
        assert!(invalid(b"GET / HTTP/1.1\r\n").contains("no PROXY header"));
        assert!(invalid(&[0x16, 3, 1]).contains("no PROXY header"));
        assert!(invalid(b"PROXZ").contains("no PROXY header"));
    }

    #[test]
    fn headers_of_version_2_cut_at_every_position() {
        let v6 = [[0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], [0; 16]].concat();
        let v6 = [v6.as_slice(), &[0, 5, 0, 6]].concat();
        let tlvs: &[u8] = &[2, 0, 3, b'a', b'.', b'b', 4, 0, 0, 0xE0, 0, 1, 9];
        check(&made(0x21, 0x11, V4), Some("203.0.113.7:54321"));
        check(&made(0x21, 0x11, &[V4, tlvs].concat()), Some("203.0.113.7:54321"));
        check(&made(0x21, 0x21, &v6), Some("[2001:db8::7]:5"));
        check(&made(0x21, 0x21, &[&v6, tlvs].concat()), Some("[2001:db8::7]:5"));
        check(&made(0x21, 0x31, &[b'/'; 216]), None);
        check(&made(0x21, 0x12, V4), None);
        check(&made(0x21, 0x00, b""), None);
        check(&made(0x21, 0x00, tlvs), None);
        check(&made(0x20, 0x00, b""), None);
        check(&made(0x20, 0x11, V4), None);
        check(&made(0x20, 0x77, b"anything"), None);
        check(&made(0x21, 0x11, &[V4, &[4, 0x0F, 0xE1], &[0; 4_065]].concat()), Some("203.0.113.7:54321"));
    }

    #[test]
    fn malformed_headers_of_version_2_are_refused() {
        for bad in [
            made(0x11, 0x11, V4),
            made(0x22, 0x11, V4),
            made(0x21, 0x13, V4),
            made(0x21, 0x41, V4),
            made(0x21, 0x11, &V4[..11]),
            made(0x21, 0x21, V4),
            made(0x21, 0x31, &[0; 215]),
            made(0x21, 0x11, &[V4, &[4]].concat()),
            made(0x21, 0x11, &[V4, &[4, 0, 1]].concat()),
            made(0x21, 0x11, &[V4, &[3, 0, 1, 0]].concat()),
        ] {
            invalid(&bad);
        }
        assert!(invalid(&[SIGNATURE, &[0x21, 0x11, 0x0F, 0xF1]].concat()).contains("4096"));
    }

    #[test]
    fn the_checksum_is_verified() {
        // The check value of CRC-32C.
        assert_eq!(crc32c(b"123456789", 0..0), 0xE306_9283);
        let mut header = made(0x21, 0x11, &[V4, &[2, 0, 1, b'a', 3, 0, 4, 0, 0, 0, 0]].concat());
        let at = header.len() - 4;
        let sum = crc32c(&header, at..at + 4);
        header[at..].copy_from_slice(&sum.to_be_bytes());
        check(&header, Some("203.0.113.7:54321"));
        for bit in (FIXED * 8)..header.len() * 8 {
            let mut damaged = header.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // Damage to the type of the checksum's own TLV hides it.
            if bit / 8 != at - 3 {
                invalid(&damaged);
            }
        }
    }
}
