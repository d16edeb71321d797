//! `simulate`: the stand-in for CometChat as a server.

use std::io::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use chatferry_simulator::{Clock, Fault, Keep, Settings, Simulator};
use tokio::net::TcpListener;

use crate::account::counted;
use crate::args::SimulateArgs;
use crate::commands::rehearse::switch;
use crate::signals::Signals;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Runs the command.
///
/// # Errors
///
/// When an argument is wrong, or the address cannot be listened on.
pub async fn run(args: &SimulateArgs, terminal: &Terminal) -> Result<Exit, Trouble> {
    let usage = |message: String| Trouble::new(Exit::Usage, message);
    let mut settings = Settings {
        api_key: args.api_key.clone(),
        latency: Duration::from_millis(args.latency),
        spread: args.latency_spread.parse().map_err(usage)?,
        clock: Clock::off_by(args.clock_skew),
        poison: args.poison.clone(),
        fault_percent: args.fault_percent,
        seed: args.seed,
        read_delay: Duration::from_millis(args.read_delay),
        keep: if args.ids_only {
            Keep::Ids
        } else {
            Keep::Everything
        },
        ..Settings::default()
    };
    let limit = |option: &str, text: &str| match text {
        "off" => Ok(None),
        number => number.parse::<NonZeroU32>().map(Some).map_err(|_| {
            usage(format!(
                "--{option} is a number from 1 or `off`, not `{number}`"
            ))
        }),
    };
    settings.requests_per_minute = limit("requests-per-minute", &args.requests_per_minute)?;
    settings.core_requests_per_minute =
        limit("core-requests-per-minute", &args.core_requests_per_minute)?;
    settings.other_requests_per_minute =
        limit("other-requests-per-minute", &args.other_requests_per_minute)?;
    settings.retention = match args.retention.as_str() {
        "off" => None,
        days => {
            let days: u64 = days.parse().map_err(|_| {
                usage(format!(
                    "--retention is a number of days or `off`, not `{days}`"
                ))
            })?;
            Some(Duration::from_secs(days.saturating_mul(86_400)))
        }
    };
    for fault in &args.faults {
        settings
            .faults
            .extend(Fault::several(fault).map_err(usage)?);
    }
    switch(&mut settings, &args.switches)?;
    if args.ids_only && args.dump.is_some() {
        return Err(usage("with --ids-only there is nothing to dump".into()));
    }

    let simulator = Simulator::new(settings).map_err(|error| {
        Trouble::new(Exit::Fault, format!("cannot start the simulator: {error}"))
    })?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        Trouble::new(
            Exit::Fault,
            format!("cannot listen on {}: {error}", args.listen),
        )
        .help("is another program there? --listen 127.0.0.1:0 takes any free port")
    })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    if !address.ip().is_loopback() {
        terminal.say("others can reach this address");
    }
    terminal.result(&format!("http://{address}/v3\n"));
    terminal.say("the simulator listens there; Ctrl-C stops it");
    let mut signals = Signals::new();
    let stopped = async move { signals.next().await };
    let served = simulator.clone().serve(listener, stopped).await;
    served.map_err(|error| Trouble::new(Exit::Fault, format!("the simulator failed: {error}")))?;
    let counts = simulator.counts();
    terminal.say(&format!(
        "stored {}, {}, {} and {} in {}, {} of them throttled",
        counted(counts.users, "user"),
        counted(counts.groups, "group"),
        counted(counts.members, "member"),
        counted(counts.messages, "message"),
        counted(counts.requests, "request"),
        counts.throttled,
    ));
    if let Some(path) = &args.dump {
        let dump = || -> std::io::Result<()> {
            let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
            simulator.dump(&mut file)?;
            file.flush()
        };
        dump().map_err(|error| {
            Trouble::new(
                Exit::Fault,
                format!("cannot write {}: {error}", path.display()),
            )
        })?;
    }
    Ok(Exit::Done)
}
