use super::*;
use crate::sim::{PRESETS, Spec};
use std::fmt::Write;

const UP: usize = 0;

/// The line up of these conditions.
fn line(up: Conditions) -> Line {
    let [line, _] = Spec { seed: 1, up, ..Spec::default() }.lines(0, 0);
    line
}

/// Sends packets of `bytes` bytes every `every` microseconds; returns when each arrives.
fn arrivals(line: &mut Line, count: u64, every: u64, bytes: usize) -> Vec<u64> {
    (0..count)
        .map(|number| {
            assert_eq!(line.offer(number * every, bytes, true), bytes);
            line.packets.back().unwrap().arrival
        })
        .collect()
}

#[test]
fn lag_is_exact_and_jitter_is_uniform() {
    let (lag, jitter, count, every) = (30_000, 20_000, 20_000, 1_000_000);
    let mut one = line(Conditions { lag_us: lag, jitter_us: jitter, ..Conditions::default() });
    let times = arrivals(&mut one, count, every, 100);
    let late: Vec<u64> = times.iter().enumerate().map(|(at, time)| time - at as u64 * every - u64::from(lag)).collect();
    assert!(late.iter().all(|late| *late <= u64::from(jitter)));
    // The mean of n uniform values has the standard deviation jitter / sqrt(12 n): five of them are allowed.
    let mean = late.iter().sum::<u64>() as f64 / count as f64;
    let deviation = f64::from(jitter) / (12.0 * count as f64).sqrt();
    assert!((mean - f64::from(jitter) / 2.0).abs() < 5.0 * deviation, "{mean}");
    // Chi-squared over 20 bins: 19 degrees of freedom, 60 is exceeded with a probability below 1e-5.
    let mut bins = [0f64; 20];
    late.iter().for_each(|late| bins[(*late as usize * 20 / (jitter as usize + 1)).min(19)] += 1.0);
    let expected = count as f64 / 20.0;
    let chi: f64 = bins.iter().map(|seen| (seen - expected).powi(2) / expected).sum();
    assert!(chi < 60.0, "{chi}");
}

#[test]
fn nothing_overtakes() {
    let up = Conditions { lag_us: 5_000, jitter_us: 40_000, loss_ppm: 20_000, ..Conditions::default() };
    let times = arrivals(&mut line(up), 10_000, 1_000, 64);
    assert!(times.windows(2).all(|two| two[0] <= two[1]));
    let together = times.windows(2).filter(|two| two[0] == two[1]).count();
    assert!(together > 5_000, "packets behind a late one arrive with it: {together}");
}

#[test]
fn losses_have_their_share_and_stall_all_behind_them() {
    let (ppm, count, every) = (10_000, 100_000u64, 1_000_000);
    let up = Conditions { lag_us: 10_000, loss_ppm: ppm, ..Conditions::default() };
    let mut one = line(up);
    let times = arrivals(&mut one, count, every, 1_000);
    let late = times.iter().enumerate().filter(|(at, time)| **time - *at as u64 * every > 10_000).count() as u64;
    assert_eq!(late, one.losses());
    // A binomial share: five standard deviations are allowed.
    let expected = count as f64 * f64::from(ppm) / 1e6;
    assert!((late as f64 - expected).abs() < 5.0 * expected.sqrt(), "{late}");
    // Without loss_stall_us: the lags of both directions and 200 ms.
    let longest = times.iter().enumerate().map(|(at, time)| time - at as u64 * every).max();
    assert_eq!(longest, Some(10_000 + 10_000 + 200_000));
    // Packets that follow within the stall arrive with the lost one.
    let mut one = line(Conditions { loss_ppm: 100_000, loss_stall_us: 300_000, ..Conditions::default() });
    let times = arrivals(&mut one, 1_000, 10_000, 100);
    let lost = times.iter().enumerate().find(|(at, time)| **time == *at as u64 * 10_000 + 300_000).unwrap().0;
    assert!(times[lost..lost + 30].iter().all(|time| *time >= times[lost]));
    assert_eq!(times[lost], times[lost + 1]);
}

#[test]
fn the_bucket_bounds_every_interval_and_is_used_up() {
    for (rate, burst) in [(125_000u32, 14_000u32), (1_000, 1_400), (7_777_777, 50_000), (1, 0)] {
        let up = Conditions { bytes_per_s: rate, burst_bytes: burst, ..Conditions::default() };
        let mut one = line(up);
        let burst = u64::from(if burst == 0 { 14_000 } else { burst });
        let mut departures: Vec<(u64, u64)> = Vec::new();
        for _ in 0..400 {
            one.offer(0, 1_400, true);
            departures.push((one.departed, 1_400));
        }
        // In any interval no more than the burst and what the rate yields, to one microsecond.
        for start in (0..departures.len()).step_by(7) {
            let mut sum = 0;
            for (time, bytes) in &departures[start..] {
                sum += bytes;
                let passed = time - departures[start].0 + 1;
                assert!(sum * 1_000_000 <= burst * 1_000_000 + passed * u64::from(rate) + 1_400_000_000, "{rate}");
            }
        }
        // All of it is used: the last packet leaves when the rate allows it, at most a microsecond a packet later.
        let all = 400 * 1_400 - burst;
        let ideal = (all * 1_000_000).div_ceil(u64::from(rate));
        let last = departures.last().unwrap().0;
        assert!((ideal..=ideal + 400).contains(&last), "{rate}: {last} instead of {ideal}");
    }
}

#[test]
fn a_pause_fills_the_bucket_again_up_to_its_size() {
    let mut one = line(Conditions { bytes_per_s: 100_000, burst_bytes: 14_000, ..Conditions::default() });
    for start in [0, 280_000, 10_000_000_000_000] {
        one.offer(start, 14_000, true);
        assert_eq!(one.departed, start, "the bucket was full");
        one.offer(start, 1_400, true);
        assert_eq!(one.departed, start + 14_000);
        // 14 ms of what follows are spent.
        one.take(one.due(NEVER - 1, usize::MAX));
        one.offer(start + 14_000, 14_000 - 1_400, true);
        assert_eq!(one.departed, start + 140_000);
    }
}

#[test]
fn a_stall_holds_everything_until_it_ends() {
    let up = Conditions { lag_us: 1_000, stall_from_ms: 100, stall_for_ms: 50, ..Conditions::default() };
    let mut one = line(up);
    let times = arrivals(&mut one, 300, 1_000, 10);
    for (at, time) in times.iter().enumerate() {
        let arrival = at as u64 * 1_000 + 1_000;
        let stalled = (100_000..150_000).contains(&arrival);
        assert_eq!(*time, if stalled { 150_000 } else { arrival });
    }
    let every = Conditions { stall_every_ms: 80, ..up };
    for (at, time) in arrivals(&mut line(every), 1_000, 1_000, 10).iter().enumerate() {
        let arrival = at as u64 * 1_000 + 1_000;
        let into = arrival.checked_sub(100_000).map(|since| since % 80_000);
        let end = into.filter(|into| *into < 50_000).map(|into| arrival - into + 50_000);
        assert_eq!(*time, end.unwrap_or(arrival));
    }
}

#[test]
fn half_open_and_cut_are_exact_to_the_byte() {
    let mut one = line(Conditions { half_open_bytes: 5_001, ..Conditions::default() });
    assert_eq!(one.offer(0, 20_000, false), 20_000);
    assert_eq!(one.due(u64::MAX - 1, usize::MAX), 5_001);
    one.take(5_001);
    assert_eq!((one.next(), one.due(NEVER - 1, usize::MAX), one.end(7)), (None, 0, NEVER));
    // What never arrives fills the buffer.
    let mut total = 20_000;
    while one.has_room() {
        total += one.offer(1, 1_000, false);
    }
    assert!(total < (64 << 10) + (4 << 20) + 2_000, "{total}");
    assert_eq!(one.offer(2, 1, false), 0);

    let mut one = line(Conditions { cut_bytes: 2_801, lag_us: 3, ..Conditions::default() });
    assert_eq!(one.offer(0, 2_000, false), 2_000);
    assert_eq!(one.offer(0, 2_000, false), 801);
    assert_eq!((one.offer(0, 1, true), one.has_room()), (0, false));
    assert_eq!((one.due(2, 9_999), one.due(3, 9_999)), (0, 2_801));
    one.take(2_800);
    assert!(!one.is_cut());
    one.take(1);
    assert!(one.is_cut());
}

#[test]
fn what_is_held_is_bounded() {
    for (up, most) in [
        (Conditions::default(), (64 << 10) + (4 << 20)),
        (Conditions { bytes_per_s: 100_000, lag_us: 500_000, buffer_bytes: 1_000, ..Conditions::default() }, 65_000),
        (
            Conditions { bytes_per_s: u32::MAX, lag_us: 60_000_000, buffer_bytes: 16 << 20, ..Conditions::default() },
            20 << 20,
        ),
    ] {
        let mut one = line(up);
        while one.offer(0, 100_000, false) > 0 {}
        assert!((most..most + 1_464).contains(&one.held()), "{} of {most}", one.held());
        one.take(usize::MAX >> 1);
        assert_eq!((one.held(), one.is_empty(), one.has_room()), (0, true, true));
    }
}

#[test]
fn new_conditions_keep_the_order() {
    let mut one = line(Conditions { lag_us: 500_000, half_open_bytes: 2_000, ..Conditions::default() });
    one.offer(0, 3_000, false);
    let [next, _] = Spec::default().lines(0, 1_000);
    one.replace(next, 1_000);
    one.offer(1_000, 100, false);
    let times: Vec<u64> = one.packets.iter().map(|packet| packet.arrival).collect();
    assert_eq!(times, [500_000, 500_000, 500_000, 500_000]);
    one.hurry(2_000);
    assert_eq!(one.due(2_000, usize::MAX), 3_100);
}

#[test]
fn mistakes_are_named() {
    let up = |up| Spec { up, ..Spec::default() }.mistake();
    assert_eq!(up(Conditions::default()), None);
    let huge = u32::MAX;
    for (conditions, field) in [
        (Conditions { lag_us: huge, ..Conditions::default() }, "lag_us"),
        (Conditions { jitter_us: 60_000_001, ..Conditions::default() }, "jitter_us"),
        (Conditions { loss_ppm: 1_000_001, ..Conditions::default() }, "loss_ppm"),
        (Conditions { loss_stall_us: huge, ..Conditions::default() }, "loss_stall_us"),
        (Conditions { buffer_bytes: huge, ..Conditions::default() }, "buffer_bytes"),
        (Conditions { stall_for_ms: 5, stall_every_ms: 5, ..Conditions::default() }, "stall_every_ms"),
    ] {
        assert_eq!(up(conditions).map(|(direction, field, _)| (direction, field)), Some(("up", field)));
        let down = Spec { down: conditions, ..Spec::default() };
        assert_eq!(down.mistake().map(|(direction, ..)| direction), Some("down"));
    }
    for preset in &PRESETS {
        assert_eq!(preset.spec.mistake(), None, "{}", preset.number);
    }
    // The largest values of all fields overflow nowhere.
    let most = Conditions {
        lag_us: 60_000_000,
        jitter_us: 60_000_000,
        bytes_per_s: huge,
        burst_bytes: huge,
        loss_ppm: 1_000_000,
        loss_stall_us: 60_000_000,
        buffer_bytes: 16 << 20,
        stall_from_ms: huge,
        stall_for_ms: huge - 1,
        stall_every_ms: huge,
        half_open_bytes: huge,
        cut_bytes: huge,
    };
    let mut one = line(most);
    for step in 0..1_000 {
        one.offer(step * 1_000_000_000, 100_000, true);
        one.take(one.due(step * 1_000_000_000, usize::MAX));
    }
}

#[test]
fn the_wifi_preset_has_the_published_quantiles() {
    let spec = PRESETS.iter().find(|preset| preset.number == 1).unwrap().spec;
    let [mut up, mut down] = spec.lines(0, 0);
    let mut trips: Vec<u64> = (0..20_000u64)
        .map(|number| {
            // Sparse packets, at times that have no relation to the stalls.
            let sent = number * 200_123;
            up.offer(sent, 100, true);
            let there = up.packets.back().unwrap().arrival;
            down.offer(there, 100, true);
            down.packets.back().unwrap().arrival - sent
        })
        .collect();
    trips.sort_unstable();
    let (half, tenth) = (trips[10_000], trips[18_000]);
    assert!((19_000..23_000).contains(&half), "{half}");
    assert!((80_000..120_000).contains(&tenth), "{tenth}");
}

/// The traces that the browser build is compared with, as tests/sim/trace.json has them. With WSPEER_WRITE_TRACE set,
/// writes that file.
#[test]
fn the_recorded_traces_are_those_of_the_model() {
    let extremes = Spec {
        seed: u32::MAX,
        up: Conditions {
            bytes_per_s: 1,
            burst_bytes: 1,
            jitter_us: 60_000_000,
            loss_ppm: 500_000,
            ..Conditions::default()
        },
        down: Conditions {
            bytes_per_s: u32::MAX,
            burst_bytes: u32::MAX,
            lag_us: 60_000_000,
            buffer_bytes: 3_000,
            stall_from_ms: 1,
            stall_for_ms: 500,
            stall_every_ms: 501,
            ..Conditions::default()
        },
    };
    let ends = Spec {
        seed: 5,
        up: Conditions { half_open_bytes: 30_000, lag_us: 40_000, ..Conditions::default() },
        down: Conditions { cut_bytes: 30_001, jitter_us: 9_000, bytes_per_s: 80_000, ..Conditions::default() },
    };
    let mut cases: Vec<(String, Spec)> =
        PRESETS.iter().map(|preset| (format!("preset {}", preset.number), Spec { seed: 9, ..preset.spec })).collect();
    cases.extend([("extremes".to_owned(), extremes), ("ends".to_owned(), ends)]);
    let mut text = "[\n".to_owned();
    for (number, (name, spec)) in cases.iter().enumerate() {
        for direction in [UP, 1] {
            let index = number as u32 % 3;
            let separator = if number == 0 && direction == UP { "" } else { ",\n" };
            let figures = [spec.up, spec.down].map(|one| figures(&one));
            write!(
                text,
                "{separator}{{\"name\": \"{name}\", \"seed\": {}, \"up\": {:?}, \"down\": {:?}, \"index\": {index}, \
                 \"direction\": {direction}, \"steps\": [\n{}]}}",
                spec.seed,
                figures[0],
                figures[1],
                steps(spec, index, direction)
            )
            .unwrap();
        }
    }
    text += "\n]\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sim/trace.json");
    if std::env::var_os("WSPEER_WRITE_TRACE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let recorded = std::fs::read_to_string(path).unwrap();
    assert!(recorded == text, "tests/sim/trace.json differs: is the change of the model meant?");
}

fn figures(one: &Conditions) -> [u32; 12] {
    let Conditions { lag_us, jitter_us, bytes_per_s, burst_bytes, loss_ppm, loss_stall_us, .. } = *one;
    let Conditions { buffer_bytes, stall_from_ms, stall_for_ms, stall_every_ms, half_open_bytes, cut_bytes, .. } = *one;
    let first = [lag_us, jitter_us, bytes_per_s, burst_bytes, loss_ppm, loss_stall_us];
    let second = [buffer_bytes, stall_from_ms, stall_for_ms, stall_every_ms, half_open_bytes, cut_bytes];
    std::array::from_fn(|at| if at < 6 { first[at] } else { second[at - 6] })
}

/// Steps of one line: the time, bytes offered, whether all are accepted; then what comes of it: bytes accepted, bytes due
/// (which are taken), the next arrival or -1, what is held, and the losses.
fn steps(spec: &Spec, index: u32, direction: usize) -> String {
    let mut lines = spec.lines(index, 0);
    let line = &mut lines[direction];
    let (mut random, mut now, mut text) = (Random::new(index + 77), 0u64, String::new());
    for step in 0..120 {
        now += u64::from(random.below(if step % 30 == 29 { 900_000_000 } else { 30_000 }));
        let all = random.below(2) == 1;
        let offered = random.below(if step % 10 == 0 { 40_000 } else { 3_000 }) as usize;
        let accepted = line.offer(now, offered, all);
        let due = line.due(now, usize::MAX);
        line.take(due);
        let next = line.next().map_or(-1, |next| next as i64);
        let separator = if step == 0 { "" } else { ",\n" };
        let (held, losses) = (line.held(), line.losses());
        write!(text, "{separator}[{now},{offered},{},{accepted},{due},{next},{held},{losses}]", u8::from(all)).unwrap();
    }
    text
}
