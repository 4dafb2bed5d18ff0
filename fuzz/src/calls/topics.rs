//! Topics: what is published arrives at those who have subscribed, and at nobody else.

use super::*;

const NAMES: [&std::ffi::CStr; 2] = [c"a", c"b"];

impl World {
    pub(super) fn topics(&mut self, input: &mut Input, how: u8) {
        let topic = usize::from(how >> 2 & 1);
        match how >> 4 & 3 {
            0 | 1 => self.subscribe(input, topic),
            2 => self.unsubscribe(input, topic, how & 8 != 0),
            _ => self.publish(input, topic, how),
        }
    }

    /// The link of a server's client.
    fn client(&self, at: usize) -> Option<usize> {
        match self.known[at].part {
            Part::End { link, side: 0 } if !self.links[link].path.is_empty() => Some(link),
            _ => None,
        }
    }

    fn subscribe(&mut self, input: &mut Input, topic: usize) {
        let Some(at) = self.choose(input) else { return };
        // SAFETY: the text lives.
        let result = checked(unsafe { ws_subscribe(self.known[at].handle, NAMES[topic].as_ptr()) });
        match self.client(at) {
            Some(link) if result == WS_OK => self.links[link].topics[topic] = true,
            Some(_) => assert!([WS_ERR_LIMIT, WS_ERR_STATE, WS_ERR_HANDLE].contains(&result), "{result}"),
            None => assert!(result == WS_ERR_KIND || result == WS_ERR_HANDLE, "{result}"),
        }
    }

    fn unsubscribe(&mut self, input: &mut Input, topic: usize, all: bool) {
        let Some(at) = self.choose(input) else { return };
        let name = if all { null() } else { NAMES[topic].as_ptr() };
        // SAFETY: the text lives.
        let result = checked(unsafe { ws_unsubscribe(self.known[at].handle, name) });
        if let Some(link) = self.client(at)
            && result == WS_OK
        {
            let topics = &mut self.links[link].topics;
            *topics = if all { [false; 2] } else { std::array::from_fn(|of| topics[of] && of != topic) };
        }
    }

    /// As in `put_to_all`, all subscribers have to expect the same bytes.
    fn publish(&mut self, input: &mut Input, topic: usize, how: u8) {
        let (kind, len) = (1 + i32::from(how & 1), length(input));
        let bytes = Way::default().next_bytes(len);
        let Some((server, _)) = self.server else {
            // A host, or a handle that publishes nothing.
            let Some(at) = self.choose(input).filter(|at| self.known[*at].part == Part::Other) else { return };
            // SAFETY: the text and the bytes live.
            checked(unsafe { ws_publish(self.known[at].handle, NAMES[topic].as_ptr(), 0, bytes.as_ptr(), len, kind) });
            return;
        };
        let subscribers: Vec<_> = (0..self.links.len()).filter(|link| self.links[*link].topics[topic]).collect();
        if !subscribers.iter().all(|link| self.links[*link].ways[0].is_new()) {
            return;
        }
        // SAFETY: the text and the bytes live.
        let result = checked(unsafe {
            match how & 8 {
                0 => ws_publish(server, NAMES[topic].as_ptr(), 0, bytes.as_ptr(), len, kind),
                _ => ws_publish_latest(server, NAMES[topic].as_ptr(), 0, 7, bytes.as_ptr(), len, kind),
            }
        });
        if result < 0 {
            return;
        }
        for link in subscribers {
            let is = |known: &&Known| known.part == Part::End { link, side: 0 };
            let open = self.known.iter().find(is).is_some_and(|known| ws_get_state(known.handle) == WS_OPEN);
            self.links[link].ways[0].accepted(len, kind, result == WS_PARTIAL || !open);
        }
    }
}
