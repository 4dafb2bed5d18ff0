//! Opening ends: pairs, a server, clients, and the others.

use super::*;

impl World {
    pub(super) fn pair(&mut self, input: &mut Input) {
        if self.known.len() >= MOST_ENDS {
            return;
        }
        let config = config(input);
        let (mut server, mut client) = (0, 0);
        // SAFETY: everything lives.
        let result = unsafe { ws_pair(&config, &mut server, &mut client) };
        if checked(result) == WS_OK {
            self.links.push(Link::default());
            let link = self.links.len() - 1;
            self.add(server, Part::End { link, side: 0 });
            self.add(client, Part::End { link, side: 1 });
        }
    }

    pub(super) fn listen(&mut self, input: &mut Input) {
        if self.server.is_some() {
            return;
        }
        let config = config(input);
        let (mut server, mut port) = (0, 0);
        // SAFETY: everything lives.
        unsafe {
            if checked(ws_listen(c"ws://127.0.0.1:0".as_ptr(), &config, &mut server)) != WS_OK {
                return;
            }
            assert_eq!(ws_get_option(server, WS_OPT_PORT, &mut port), WS_OK);
        }
        self.add(server, Part::Server);
        self.server = Some((server, port));
    }

    pub(super) fn connect(&mut self, input: &mut Input) {
        let Some((_, port)) = self.server else { return };
        if self.known.len() >= MOST_ENDS {
            return;
        }
        let config = config(input);
        self.clients += 1;
        let path = format!("/{}", self.clients);
        let url = CString::new(format!("ws://127.0.0.1:{port}{path}")).expect("no NUL");
        let mut client = 0;
        // SAFETY: everything lives.
        if checked(unsafe { ws_connect(url.as_ptr(), &config, &mut client) }) == WS_OK {
            self.links.push(Link { path, ..Link::default() });
            self.add(client, Part::End { link: self.links.len() - 1, side: 1 });
        }
    }

    /// Attached ends, hosts and joins: their own rules are other tests'; here they only must not disturb.
    pub(super) fn others(&mut self, input: &mut Input) {
        if self.known.len() >= MOST_ENDS {
            return;
        }
        let how = input.byte();
        let config = config(input);
        let mut handle = 0;
        // SAFETY: everything lives.
        unsafe {
            let host = self.known.iter().find(|known| known.part == Part::Other).map_or(0, |known| known.handle);
            let result = match how % 4 {
                0 => ws_attach(&config, 1 + i32::from(how >> 7), &mut handle),
                1 => ws_host(c"ws://127.0.0.1:0".as_ptr(), &config, &mut handle),
                2 => ws_join_local(host, &config, &mut handle),
                _ => {
                    let mut port = 0;
                    ws_get_option(host, WS_OPT_PORT, &mut port);
                    let url = CString::new(format!("ws://127.0.0.1:{}", port.max(1))).expect("no NUL");
                    ws_join(url.as_ptr(), &config, &mut handle)
                }
            };
            if checked(result) == WS_OK {
                self.add(handle, Part::Other);
            }
        }
    }
}

pub(super) fn config(input: &mut Input) -> ws_config {
    // SAFETY: a config is numbers and pointers.
    let mut config = unsafe { std::mem::zeroed::<ws_config>() };
    // SAFETY: it lives.
    unsafe { ws_config_init(&mut config, size_of::<ws_config>()) };
    let how = input.byte();
    config.flags = u32::from(how & 3);
    if how & 4 != 0 {
        config.flags |= WS_DEFLATE | u32::from(how >> 6) << 6;
    }
    if how & 8 != 0 {
        let limits = input.byte();
        config.inbound_packets = u32::from(limits & 15);
        config.outbound_packets = u32::from(limits >> 4);
        config.inbound_bytes = u32::from(input.byte()) * 16;
        config.outbound_bytes = u32::from(input.byte()) * 16;
    }
    if how & 16 != 0 {
        config.poll_budget_us = 1;
    }
    if how & 32 != 0 {
        let formats = [0, WS_GODOT3, WS_SCENE, WS_SCENE | WS_AUTH, WS_SCENE | WS_RAW_REPLICATION];
        config.flags |= formats[input.below(formats.len())];
        config.on_full = u32::from(input.byte() % 4);
    }
    config
}
