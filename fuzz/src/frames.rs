//! Frames in any cutting, as either end: the cutting changes nothing, and tungstenite finds the same.

use super::decoding::decode;
use super::input::{Input, pieces};
use super::twins::judge;
use wspeer::internals::protocol::{Limits, Role};

const LIMITS: Limits = Limits { max_message: 1 << 16, max_fragments: 50 };

pub fn frames(data: &[u8]) {
    let mut input = Input(data);
    let (role, cut) = (role_of(input.byte()), input.byte());
    let cut = pieces(input.0, cut);
    judge(role, &cut);
    let whole = decode(role, false, &LIMITS, &[input.0]);
    assert_eq!(decode(role, false, &LIMITS, &cut), whole, "cut otherwise");
}

pub fn compressed(data: &[u8]) {
    let mut input = Input(data);
    let (role, cut) = (role_of(input.byte()), input.byte());
    let whole = decode(role, true, &LIMITS, &[input.0]);
    assert_eq!(decode(role, true, &LIMITS, &pieces(input.0, cut)), whole, "cut otherwise");
}

fn role_of(byte: u8) -> Role {
    if byte & 1 == 0 { Role::Client } else { Role::Server }
}
