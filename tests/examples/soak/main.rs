//! Runs the four servers under mixed load for a while, and tells whether their memory and descriptors stay level:
//!
//! ```sh
//! cargo run --release -p barewire-tests --example soak -- 1h
//! ```
//!
//! Peers are honest, stall, reset, flood, send garbage or nothing, from many addresses of 127.0.0.0/8. What is
//! asked of an honest one's conversation is asked here: it must go well. Exit code 0: all of them did, and
//! every server ended as small as it was once warm, with the descriptors that it began with.

mod load;
mod samples;

use std::env;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use barewire_tests::harness::{Folder, Launch, Server};

use load::{Load, MIDDLE};
use samples::{Sample, Trend};

/// So many times each server is looked at.
const SAMPLES: u32 = 240;

fn main() -> ExitCode {
    let argument = env::args().nth(1);
    let Some(time) = argument.as_deref().map_or(Some(Duration::from_secs(10)), duration) else {
        eprintln!("usage: soak [TIME]: 30s, 10m or 1h");
        return ExitCode::from(2);
    };
    let folder = Folder::new()
        .with("x", "contents")
        .with("middle", vec![b'x'; MIDDLE])
        .with_sparse("big", 16 << 20, &[]);
    let log = folder.path(".chat.log");
    let short = ["-q", "--timeout", "5s"];
    let servers = [
        ("udp-server", vec!["-q"]),
        ("tcp-server", short.to_vec()),
        ("file-server", [&[folder.arg()], &short[..], &["--stall", "5s"]].concat()),
        ("chat-server", vec!["-q", "--log", log.to_str().expect("UTF-8")]),
    ];
    let servers = servers.map(|(name, options)| {
        (name, Server::start(Launch::new(name).arg("127.0.0.1:0").args(options)))
    });
    println!("{:<12} {}", "", Trend::HEADING);
    let ended = AtomicBool::new(false);
    let loads = servers.each_ref().map(|(name, server)| Load::new(name, server.address()));
    let passed = thread::scope(|scope| {
        let loads = loads.map(|load| {
            let ended = &ended;
            scope.spawn(move || load.run(ended))
        });
        let failed = || loads.iter().any(ScopedJoinHandle::is_finished);
        let samples = watch(&servers, time, failed);
        ended.store(true, Ordering::Relaxed);
        let counts = loads.map(|load| load.join().expect("all went well"));
        let mut passed = true;
        for (((name, server), samples), count) in servers.iter().zip(samples).zip(counts) {
            let last = released(server, &samples[0]);
            let trend = Trend::of(&samples, &last);
            println!("{name:<12} {trend}; {count} conversations");
            passed &= trend.is_level(time);
        }
        passed
    });
    for (_, server) in servers {
        server.stop();
    }
    println!("{}", if passed { "level" } else { "NOT level" });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Samples of each server, until a load has failed.
fn watch(
    servers: &[(&str, Server); 4],
    time: Duration,
    failed: impl Fn() -> bool,
) -> [Vec<Sample>; 4] {
    let begun = Instant::now();
    let sample = |(_, server): &(&str, Server)| Sample::of(server.program.process());
    let mut samples = servers.each_ref().map(|server| vec![sample(server)]);
    for number in 1..=SAMPLES {
        let at = time * number / SAMPLES;
        thread::sleep(at.saturating_sub(begun.elapsed()));
        if failed() {
            break;
        }
        for (server, samples) in servers.iter().zip(&mut samples) {
            let sample = sample(server);
            samples.push(sample);
            if number % (SAMPLES / 12) == 0 && time > Duration::from_mins(1) {
                println!("{:<12} after {} s: {sample}", server.0, at.as_secs());
            }
        }
    }
    samples
}

/// The server once all have gone: as long as it has more descriptors than at first, it is waited for.
fn released(server: &Server, first: &Sample) -> Sample {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let sample = Sample::of(server.program.process());
        if sample.descriptors <= first.descriptors || Instant::now() > deadline {
            return sample;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(
        number.parse::<u64>().ok().filter(|it| *it > 0)?.checked_mul(seconds)?,
    ))
}
