//! All figures of one peer on one trace.
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::heap;
use crate::peers::{Built, Peer, Task};
use crate::trace::Trace;

/// The word by which the program asks itself for the findings of one peer on one
/// trace, as JSON.
pub const ALONE: &str = "--alone";

#[derive(Clone, Copy)]
pub struct Effort {
    pub runs_max: usize,
    /// No run of a task begins later than this after its first.
    pub task: Duration,
    /// For building a history that several authors write.
    pub build: Duration,
}

#[derive(Serialize, Deserialize)]
pub struct Figure {
    pub measure: String,
    pub unit: String,
    pub median: f64,
    pub min: f64,
    pub samples: usize,
}

#[derive(Serialize, Deserialize)]
pub struct Failure {
    pub measure: String,
    pub reason: String,
}

/// What could be measured, what could not, and what has to be said of it.
#[derive(Default, Serialize, Deserialize)]
pub struct Findings {
    pub figures: Vec<Figure>,
    pub failures: Vec<Failure>,
    pub notes: Vec<String>,
}

impl Findings {
    fn fail(&mut self, measure: &str, reason: String) {
        self.failures.push(Failure { measure: measure.to_owned(), reason });
    }
}

/// Measures in a process of its own: one that has run another peer hands out memory
/// in pieces from all over the heap, which makes lists many times slower, and a peer
/// that ends it takes nothing else along.
pub fn measure_apart(peer: &str, trace: &str) -> Findings {
    let words =
        env::args().skip(1).chain(["--peer", peer, "--trace", trace].map(String::from));
    let child = env::current_exe().and_then(|program| {
        Command::new(program).args(words).arg(ALONE).stderr(Stdio::inherit()).output()
    });
    let findings = child.map_err(|error| error.to_string()).and_then(|output| {
        serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("its process ended with {}", output.status))
    });
    findings.unwrap_or_else(|reason| {
        let mut findings = Findings::default();
        findings.fail("build", reason);
        findings
    })
}

pub fn measure(peer: &Peer, trace: &Trace, effort: Effort) -> Findings {
    let mut findings = Findings::default();
    let deadline = Instant::now() + effort.build;
    let built = attempt(|| (peer.build)(trace, deadline)).and_then(|built| built);
    match built {
        Err(reason) => findings.fail("build", reason),
        Ok(built) if !trace.concurrent && built.text != trace.end => {
            findings.fail("build", "its text is not the trace's".into());
        }
        Ok(built) => {
            compare(&built, trace, &mut findings);
            for &(name, bytes) in &built.bytes {
                findings.figures.push(figure(name, "bytes", &[bytes as f64]));
            }
            for task in &built.tasks {
                match measure_task(task, &built.text, effort) {
                    Ok(figures) => findings.figures.extend(figures),
                    Err(reason) => findings.fail(task.name, reason),
                }
            }
            findings.notes.extend(built.notes);
        }
    }
    findings
}

/// Says how the text that the peer came to differs from a concurrent trace's.
fn compare(built: &Built, trace: &Trace, findings: &mut Findings) {
    let (ours, theirs) = (trace.end.chars().count(), built.text.chars().count());
    let note = if built.text == trace.end {
        return;
    } else if ours == theirs {
        "its text has the right length, but ties fell otherwise".to_owned()
    } else {
        format!("ties fell otherwise: its text has {theirs} characters instead of {ours}")
    };
    findings.notes.push(note);
}

/// The run that is counted comes first, so that those that are timed are warm.
fn measure_task(task: &Task, text: &str, effort: Effort) -> Result<[Figure; 3], String> {
    let (document, heap) = heap::count(|| attempt(|| (task.run)()));
    let document = document?;
    if attempt(|| document.text())? != text {
        return Err("it gave another text than building did".into());
    }
    drop(document);
    let times = attempt(|| times_ms(task, effort))?;
    let bytes = |kind, bytes| figure(&format!("{}-{kind}", task.name), "bytes", &[bytes]);
    Ok([
        figure(task.name, "ms", &times),
        bytes("heap-peak", heap.peak as f64),
        bytes("heap-steady", heap.steady as f64),
    ])
}

fn times_ms(task: &Task, effort: Effort) -> Vec<f64> {
    let begun = Instant::now();
    let mut times = Vec::with_capacity(effort.runs_max);
    while times.is_empty()
        || times.len() < effort.runs_max && begun.elapsed() < effort.task
    {
        let start = Instant::now();
        let document = (task.run)();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        drop(document);
    }
    times
}

fn figure(measure: &str, unit: &str, samples: &[f64]) -> Figure {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    Figure {
        measure: measure.to_owned(),
        unit: unit.to_owned(),
        median: sorted[sorted.len() / 2],
        min: sorted[0],
        samples: sorted.len(),
    }
}

/// A panic of a peer becomes the reason of its failure.
fn attempt<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or(panic.downcast_ref::<&str>().copied());
        format!("panic: {}", words.unwrap_or("without a message"))
    })
}
