//! grove-peers: measures other libraries for collaborative text on editing traces.
mod heap;
mod measure;
mod peers;
mod replicas;
mod report;
mod trace;

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use measure::Effort;
use peers::PEERS;
use report::{Column, Csv};
use trace::Trace;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

const USAGE: &str = "\
usage: grove-peers [--quick] [--out DIR] [--peer NAME] [--trace NAME] [--limit SECONDS]

  --quick          3 runs of everything instead of 11
  --out DIR        where peers.csv goes (default: benchmark-results)
  --peer NAME      diamond-types, loro, automerge or yrs
  --trace NAME     automerge-paper, rustcode, sveltecomponent, friendsforever or A2
  --limit SECONDS  for building a concurrent history in one peer (default: 1800)

GROVE_TRACES names the directory with the traces.
";

struct Options {
    is_alone: bool,
    out: PathBuf,
    peer: Option<String>,
    trace: Option<String>,
    effort: Effort,
}

fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
    let effort = Effort {
        runs_max: 11,
        task: Duration::from_secs(4),
        build: Duration::from_secs(1800),
    };
    let mut options = Options {
        is_alone: false,
        out: "benchmark-results".into(),
        peer: None,
        trace: None,
        effort,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            measure::ALONE => options.is_alone = true,
            "--quick" => options.effort.runs_max = 3,
            "--out" => options.out = words.next()?.into(),
            "--peer" => options.peer = Some(words.next()?),
            "--trace" => options.trace = Some(words.next()?),
            "--limit" => {
                options.effort.build = Duration::from_secs(words.next()?.parse().ok()?);
            }
            _ => return None,
        }
    }
    let known_peer = |name: &String| PEERS.iter().any(|peer| peer.name == name);
    let known_trace = |name: &String| trace::NAMES.contains(&name.as_str());
    let is_known =
        options.peer.iter().all(known_peer) && options.trace.iter().all(known_trace);
    is_known.then_some(options)
}

/// The version that was built, out of the lock file.
fn version(name: &str) -> &'static str {
    let begin = format!("name = \"{name}\"\nversion = \"");
    let versions = include_str!("../Cargo.lock").split_once(&begin);
    versions.and_then(|(_, rest)| rest.split('"').next()).unwrap_or("unknown")
}

/// Prints the findings of one peer on one trace for the process that asked for them.
fn run_alone(options: &Options, traces: &Path) -> Result<(), String> {
    let peer = PEERS.iter().find(|peer| Some(peer.name) == options.peer.as_deref());
    let peer = peer.ok_or("one peer has to be named")?;
    let name = options.trace.as_deref().ok_or("one trace has to be named")?;
    let trace = Trace::read(traces, name)?;
    let findings = measure::measure(peer, &trace, options.effort);
    serde_json::to_writer(io::stdout(), &findings).map_err(|error| error.to_string())
}

fn run(options: &Options, traces: &Path) -> Result<(), String> {
    let mut csv = Csv::create(&options.out)
        .map_err(|error| format!("{}: {error}", options.out.display()))?;
    let is_chosen = |chosen: &Option<String>, name: &str| {
        chosen.as_ref().is_none_or(|chosen| chosen == name)
    };
    for name in trace::NAMES.into_iter().filter(|name| is_chosen(&options.trace, name)) {
        let trace = match Trace::read(traces, name) {
            Ok(trace) => trace,
            Err(reason) => {
                println!("\n{name}: skipped: {reason}");
                continue;
            }
        };
        let mut columns = Vec::new();
        for peer in PEERS.iter().filter(|peer| is_chosen(&options.peer, peer.name)) {
            eprintln!("{name}: {} ...", peer.name);
            let findings = measure::measure_apart(peer.name, name);
            let column =
                Column { peer: peer.name, version: version(peer.name), findings };
            csv.write(name, &column).map_err(|error| format!("peers.csv: {error}"))?;
            columns.push(column);
        }
        let kind = if trace.concurrent { "concurrent" } else { "sequential" };
        let count = trace.event_count();
        report::print_table(&format!("{name}, {kind}, {count} events"), &columns);
    }
    Ok(())
}

fn main() -> ExitCode {
    if env::args().skip(1).eq(["--help"]) {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(options) = parse(env::args().skip(1)) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let Some(traces) = env::var_os("GROVE_TRACES") else {
        eprintln!("grove-peers: GROVE_TRACES names no directory");
        return ExitCode::FAILURE;
    };
    let run = if options.is_alone { run_alone } else { run };
    match run(&options, Path::new(&traces)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("grove-peers: {reason}");
            ExitCode::FAILURE
        }
    }
}
