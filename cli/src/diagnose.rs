//! `wspeer diagnose`: the library's steps, and its advice.

use crate::alarm::Alarm;
use crate::args::Diagnose;
use crate::failure::{FAILED, Outcome};
use crate::interrupt::Interrupt;
use crate::terminal::{Terminal, harmless, json, print};
use std::time::Duration;
use wspeer::{Cause, Client, Event, Phase};

pub fn run(given: &Diagnose, terminal: Terminal) -> Outcome {
    let mut client = Client::diagnose(&given.connect.url, &given.connect.config()?)?;
    let mut alarm = Alarm::new()?;
    let interrupt = Interrupt::listen(alarm.bell())?;
    let mut start = None;
    loop {
        if interrupt.has_come() {
            client.close(-1, "")?;
        }
        client.poll()?;
        for event in client.events() {
            let time = event.about().time;
            let since = time.saturating_sub(*start.get_or_insert(time));
            match event {
                Event::Step(step) if given.json => print(&line(since, step.phase, step.cause, "step", step.sentence))?,
                Event::Closed(end) if given.json => {
                    print(&line(since, end.phase, end.cause, "advice", end.sentence))?;
                }
                Event::Step(step) => print(&shown(since, step.phase, step.cause, step.sentence, terminal))?,
                Event::Closed(end) => {
                    let advice = harmless(end.sentence);
                    let is_good = end.cause == Cause::None;
                    let advice = if is_good { terminal.out.green(&advice) } else { terminal.out.bold(&advice) };
                    print(&format!("\n{advice}"))?;
                }
                _ => {}
            }
            if let Event::Closed(end) = event {
                return Ok(match interrupt.has_come() {
                    true => interrupt.exit_code(),
                    false if end.cause == Cause::None => 0,
                    false => FAILED,
                });
            }
        }
        alarm.wait(&mut vec![client.raw()], None)?;
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn shown(since: Duration, phase: Phase, cause: Cause, sentence: &str, terminal: Terminal) -> String {
    let has_failed = cause != Cause::None;
    let paint = terminal.out;
    let (mark, sentence) = (if has_failed { paint.red("!") } else { " ".to_owned() }, harmless(sentence));
    let sentence = if has_failed { paint.red(&sentence) } else { sentence };
    let time = paint.dim(&format!("{:9.1} ms", ms(since)));
    format!("{time} {mark} {} {sentence}", paint.cyan(&format!("{:9}", name(phase))))
}

/// Phases and causes are in lower case, as in the header without "WS_PHASE_" and "WS_CAUSE_".
fn line(since: Duration, phase: Phase, cause: Cause, kind: &str, sentence: &str) -> String {
    let cause = match cause {
        Cause::None => String::new(),
        cause => snake_case(&format!("{cause:?}")),
    };
    let (phase, sentence) = (json(&name(phase)), json(sentence));
    let is_good = cause.is_empty();
    let cause = json(&cause);
    format!(r#"{{"ms":{:.3},"phase":{phase},"ok":{is_good},"cause":{cause},"{kind}":{sentence}}}"#, ms(since))
}

fn name(phase: Phase) -> String {
    match phase {
        Phase::None => String::new(),
        phase => snake_case(&format!("{phase:?}")),
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for one in name.chars() {
        if one.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(one.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_in_the_header() {
        assert_eq!(snake_case("CertificateUntrusted"), "certificate_untrusted");
        assert_eq!(name(Phase::Websocket), "websocket");
    }
}
