//! The length of a request's body (RFC 9112 section 6). A request of which a proxy in front could see another length is
//! refused: the bytes behind it would be taken for a request (section 11.2).

use super::{Headers, Refusal};
use crate::status::Cause;

/// What the head of a request says about its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Announced {
    /// Length of the body.
    pub len: usize,
    /// The client waits for "100 Continue" before it sends the body (RFC 9110 section 10.1.1).
    pub expects_continue: bool,
}

impl Announced {
    /// Reads the headers of a request in HTTP/1.`minor`, whose body may have `max` bytes.
    pub fn read(headers: &Headers, minor: u8, max: usize) -> Result<Announced, Refusal> {
        if headers.count("transfer-encoding") > 0 {
            return Err(match () {
                () if headers.count("content-length") > 0 => {
                    Refusal::invalid("the request has both Content-Length and Transfer-Encoding")
                }
                () if minor == 0 => Refusal::invalid("a request in HTTP/1.0 has no Transfer-Encoding"),
                () => Refusal::new(411, Cause::HttpInvalid, "a body needs Content-Length instead of Transfer-Encoding"),
            });
        }
        if headers.count("content-length") > 1 {
            return Err(Refusal::invalid("the request has several Content-Length headers"));
        }
        let len = match headers.get("content-length", 0) {
            None => 0,
            Some(text) if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(Refusal::invalid("Content-Length is not a number"));
            }
            // Beyond what a number can hold it is over the limit too.
            Some(text) => text.parse().unwrap_or(usize::MAX),
        };
        if len > max {
            let why = format!("the body of the request is over {max} bytes");
            return Err(Refusal::new(413, Cause::HttpTooBig, why));
        }
        // A server ignores what a client of HTTP/1.0 expects.
        let mut expected = headers.list("expect").filter(|_| minor > 0).peekable();
        let expects = expected.peek().is_some();
        if !expected.all(|item| item.eq_ignore_ascii_case("100-continue")) {
            return Err(Refusal::new(417, Cause::HttpInvalid, "the request expects something other than 100-continue"));
        }
        Ok(Announced { len, expects_continue: expects && len > 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&str, &str)], minor: u8) -> Result<(usize, bool), u16> {
        let headers = Headers::from_pairs(lines.iter().map(|(name, value)| (*name, value.as_bytes())));
        let announced = Announced::read(&headers, minor, 100).map_err(|refusal| refusal.status)?;
        Ok((announced.len, announced.expects_continue))
    }

    #[test]
    fn a_length_is_one_number_up_to_the_limit() {
        for (value, expected) in [
            ("0", Ok((0, false))),
            ("7", Ok((7, false))),
            ("007", Ok((7, false))),
            ("100", Ok((100, false))),
            ("101", Err(413)),
            ("99999999999999999999999999", Err(413)),
            ("", Err(400)),
            ("+7", Err(400)),
            ("-7", Err(400)),
            ("7, 7", Err(400)),
            ("7,", Err(400)),
            ("0x7", Err(400)),
            ("7 7", Err(400)),
            ("7.0", Err(400)),
            ("٧", Err(400)),
        ] {
            assert_eq!(read(&[("Content-Length", value)], 1), expected, "{value:?}");
        }
        assert_eq!(read(&[], 1), Ok((0, false)));
        assert_eq!(read(&[("Content-Length", "7"), ("content-length", "7")], 1), Err(400));
    }

    #[test]
    fn no_other_framing_is_accepted() {
        let (coded, length) = (("Transfer-Encoding", "chunked"), ("Content-Length", "3"));
        assert_eq!(read(&[coded], 1), Err(411));
        assert_eq!(read(&[("Transfer-Encoding", "")], 1), Err(411));
        assert_eq!(read(&[("Transfer-Encoding", "identity")], 1), Err(411));
        assert_eq!(read(&[coded], 0), Err(400));
        for lines in [[coded, length], [length, coded]] {
            assert_eq!(read(&lines, 1), Err(400));
            assert_eq!(read(&lines, 0), Err(400));
        }
    }

    #[test]
    fn only_100_continue_can_be_expected() {
        let read = |expect, length, minor| read(&[("Expect", expect), ("Content-Length", length)], minor);
        assert_eq!(read("100-continue", "3", 1), Ok((3, true)));
        assert_eq!(read("100-Continue", "3", 1), Ok((3, true)));
        assert_eq!(read("100-continue", "0", 1), Ok((0, false)), "there is no body to wait for");
        assert_eq!(read("100-continue", "3", 0), Ok((3, false)));
        assert_eq!(read("200-ok", "3", 1), Err(417));
        assert_eq!(read("100-continue, tea", "3", 1), Err(417));
        assert_eq!(read("100-continue", "101", 1), Err(413), "it is not asked for a body that is too long");
    }
}
