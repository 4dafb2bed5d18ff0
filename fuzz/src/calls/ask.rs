//! Asking, setting, feeding, and calls that are wrong.

use super::*;

impl World {
    pub(super) fn ask(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let (what, cap) = (i32::from(input.byte() as i8), usize::from(input.byte()));
        let handle = self.known[at].handle;
        let mut text = vec![0xFFu8; cap + 1];
        let mut len = usize::MAX;
        // SAFETY: everything lives.
        unsafe {
            let result = checked(ws_get_text(handle, what, text.as_mut_ptr().cast(), cap, &mut len));
            assert_eq!(text[cap], 0xFF, "nothing is written behind the buffer");
            if result >= 0 && cap > 0 {
                let end = text.iter().position(|byte| *byte == 0).expect("text ends with a NUL");
                assert!(
                    std::str::from_utf8(&text[..end]).is_ok() && (result == WS_TRUNCATED) == (len > end),
                    "{result} {len} {end}"
                );
            }
            checked(ws_get_header(
                handle,
                c"host".as_ptr(),
                u32::from(cap as u8),
                text.as_mut_ptr().cast(),
                cap,
                &mut len,
            ));
            let result = checked(ws_get_topics(handle, text.as_mut_ptr().cast(), cap, &mut len));
            assert_eq!(text[cap], 0xFF, "nothing is written behind the buffer");
            assert!(result < 0 || (result == WS_TRUNCATED) == (len + 1 > cap && len > 0), "{result} {len} {cap}");
            let mut stats = std::mem::zeroed::<ws_stats>();
            checked(ws_get_stats(handle, &mut stats, 8 + cap.min(size_of::<ws_stats>() - 8)));
            let mut value = 0;
            checked(ws_get_option(handle, what, &mut value));
            let mut conns = [0; 4];
            let mut count = 0;
            checked(ws_get_conns(handle, conns.as_mut_ptr(), cap.min(4), &mut count));
            checked(ws_get_conn(handle, what, &mut conns[0]));
        }
        let state = ws_get_state(handle);
        assert!((WS_CONNECTING..=WS_CLOSED).contains(&state) || state == WS_ERR_HANDLE && self.retires(at), "{state}");
        checked(ws_get_available(handle).min(0));
        checked(ws_get_peer_id(handle).min(0));
    }

    pub(super) fn set(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let (option, value) = (i32::from(input.byte() % 32), input.u32());
        let option = match option {
            30 => WS_OPT_MAX_TOPICS,
            31 => WS_OPT_MAX_SERVER_TOPICS,
            _ => option,
        };
        let handle = self.known[at].handle;
        // Limits that end connections by themselves make nothing that the model knows.
        if [WS_OPT_HEARTBEAT_MS, WS_OPT_PONG_TIMEOUT_MS, WS_OPT_CLOSE_TIMEOUT_MS, WS_OPT_HANDSHAKE_TIMEOUT_MS]
            .contains(&option)
        {
            return;
        }
        checked(ws_set_option(handle, option, value));
        checked(ws_set_user(handle, value as usize));
        if value & 1 == 0 {
            checked(ws_flush(handle));
        }
    }

    pub(super) fn feed(&mut self, input: &mut Input) {
        let Some(at) = self.choose(input) else { return };
        let len = usize::from(input.byte());
        let bytes = input.take(len);
        let mut taken = usize::MAX;
        let handle = self.known[at].handle;
        // SAFETY: everything lives.
        let result = checked(unsafe { ws_feed(handle, bytes.as_ptr(), bytes.len(), &mut taken) });
        assert!(result < 0 || taken <= bytes.len());
        if self.known[at].part == Part::Other {
            Call::output(handle);
        }
    }

    /// NULL, handles that are none, lengths that cannot be.
    pub(super) fn wrong(&mut self, input: &mut Input) {
        let handle = match input.byte() % 4 {
            0 => 0,
            1 => input.u32(),
            2 => self.known.last().map_or(0, |known| known.handle ^ (1 << 20)),
            _ => u32::MAX,
        };
        if self.known.iter().any(|known| known.handle == handle) {
            return;
        }
        let mine = self.choose(input).map_or(0, |at| self.known[at].handle);
        // SAFETY: what is wrong about each is what the header says is an error.
        unsafe {
            for result in [
                ws_poll(handle),
                ws_put_packet(handle, b"x".as_ptr(), 1, WS_TEXT),
                ws_close(handle, 0, null()),
                ws_flush(handle),
                ws_get_state(handle),
                ws_set_option(handle, WS_OPT_COALESCE, 1),
                ws_put_latest(handle, 0, 1, b"x".as_ptr(), 1, WS_TEXT),
                ws_subscribe(handle, c"a".as_ptr()),
                ws_unsubscribe(handle, null()),
                ws_publish(handle, c"a".as_ptr(), 0, b"x".as_ptr(), 1, WS_TEXT),
                ws_publish_latest(handle, c"a".as_ptr(), 0, 1, b"x".as_ptr(), 1, WS_TEXT),
                ws_get_topics(handle, null_mut(), 0, null_mut()),
                ws_declare_scene(handle, c"S".as_ptr(), 0, 0, c"".as_ptr()),
                ws_declare_synchronizer(handle, c"S".as_ptr(), 0, c"".as_ptr(), null_mut()),
                ws_spawn(handle, c"S".as_ptr(), 0, c"N".as_ptr(), null(), 0, &mut 0),
                ws_despawn(handle, 1),
                ws_sync(handle, 1, null(), 0),
                ws_set_visible(handle, 1, 0, 1),
            ] {
                assert_eq!(result, WS_ERR_HANDLE, "of a handle that is none");
            }
            for result in [
                ws_get_packet(mine, null_mut()),
                ws_next_event(mine, null_mut()),
                ws_put_packet(mine, null(), 1, WS_TEXT),
                ws_connect(null(), null(), null_mut()),
                ws_get_option(mine, WS_OPT_PORT, null_mut()),
                ws_put_latest(mine, 0, 1, null(), 1, WS_TEXT),
                ws_put_latest(mine, 0, 1, b"x".as_ptr(), 1, WS_CALL),
                ws_subscribe(mine, null()),
                ws_subscribe(mine, c"".as_ptr()),
                ws_subscribe(mine, c"\n".as_ptr()),
                ws_subscribe(mine, c"\xFF".as_ptr()),
                ws_publish(mine, null(), 0, b"x".as_ptr(), 1, WS_TEXT),
                ws_publish(mine, c"a".as_ptr(), 0, null(), 1, WS_TEXT),
                ws_publish(mine, c"a".as_ptr(), i32::MIN, b"x".as_ptr(), 1, WS_TEXT),
                ws_publish_latest(mine, c"a".as_ptr(), 0, 1, b"x".as_ptr(), 1, WS_CALL),
                ws_get_topics(mine, null_mut(), 1, null_mut()),
                ws_declare_scene(mine, null(), 0, 0, c"".as_ptr()),
                ws_declare_synchronizer(mine, null(), 0, c"".as_ptr(), null_mut()),
                ws_spawn(mine, c"S".as_ptr(), 0, c"N".as_ptr(), null(), 0, null_mut()),
                ws_spawn(mine, c"S".as_ptr(), 0, c"N".as_ptr(), null(), 1, &mut 0),
                ws_sync(mine, 1, null(), 1),
                ws_put_packet(mine, b"\x05".as_ptr(), 1, WS_SPAWN),
                ws_decode_replication(null(), 0, &mut 0, null_mut(), null_mut(), 0),
            ] {
                assert!(result < 0 && result != WS_ERR_PANIC, "{result} with NULL");
            }
            let result = ws_put_packet(mine, b"x".as_ptr(), usize::MAX, WS_BINARY);
            assert!(result < 0 && result != WS_ERR_PANIC);
            let result = ws_put_packet(mine, b"x".as_ptr(), 1, i32::from(input.byte() as i8).max(3));
            assert!(result < 0 && result != WS_ERR_PANIC);
        }
        ws_free(handle);
    }
}
