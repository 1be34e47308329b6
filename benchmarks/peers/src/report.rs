//! `peers.csv`, and a table for each trace.
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::measure::{Figure, Findings};

/// Of one peer on one trace.
pub struct Column {
    pub peer: &'static str,
    pub version: &'static str,
    pub findings: Findings,
}

pub struct Csv(BufWriter<File>);

impl Csv {
    pub fn create(folder: &Path) -> io::Result<Csv> {
        fs::create_dir_all(folder)?;
        let mut file = BufWriter::new(File::create(folder.join("peers.csv"))?);
        writeln!(file, "peer,version,trace,measure,unit,median,min,samples")?;
        Ok(Csv(file))
    }

    /// A failure is a row without figures whose unit is `failed`.
    pub fn write(&mut self, trace: &str, column: &Column) -> io::Result<()> {
        let Column { peer, version, findings } = column;
        for figure in &findings.figures {
            let Figure { measure, unit, samples, .. } = figure;
            let median = rounded(figure.median, unit, 4);
            let min = rounded(figure.min, unit, 4);
            writeln!(
                self.0,
                "{peer},{version},{trace},{measure},{unit},{median},{min},{samples}"
            )?;
        }
        for failure in &findings.failures {
            let measure = &failure.measure;
            writeln!(self.0, "{peer},{version},{trace},{measure},failed,,,0")?;
        }
        self.0.flush()
    }
}

/// Times with that many decimals, bytes without.
fn rounded(value: f64, unit: &str, decimals: usize) -> String {
    let decimals = if unit == "ms" { decimals } else { 0 };
    format!("{value:.decimals$}")
}

/// Medians, a column for each peer; below it what failed and what differs.
pub fn print_table(heading: &str, columns: &[Column]) {
    let mut measures: Vec<(&str, &str)> = Vec::new();
    for figure in columns.iter().flat_map(|column| &column.findings.figures) {
        if !measures.contains(&(&figure.measure, &figure.unit)) {
            measures.push((&figure.measure, &figure.unit));
        }
    }
    measures.sort_by_key(|(measure, unit)| (*unit != "ms", measure.contains("-heap-")));
    println!("\n{heading}");
    print!("{:30}", "");
    for column in columns {
        print!("{:>22}", format!("{} {}", column.peer, column.version));
    }
    println!();
    for (measure, unit) in measures {
        print!("{:30}", format!("{measure}, {unit}"));
        for column in columns {
            print!("{:>22}", cell(&column.findings, measure, unit));
        }
        println!();
    }
    for column in columns {
        for failure in &column.findings.failures {
            println!("  {}: {} failed: {}", column.peer, failure.measure, failure.reason);
        }
        for note in &column.findings.notes {
            println!("  {}: {note}", column.peer);
        }
    }
}

fn cell(findings: &Findings, measure: &str, unit: &str) -> String {
    let failed = |name: &str| findings.failures.iter().any(|it| it.measure == name);
    if let Some(figure) = findings.figures.iter().find(|figure| figure.measure == measure)
    {
        rounded(figure.median, unit, 3)
    } else if failed("build") || failed(measure) {
        "failed".into()
    } else {
        "-".into()
    }
}
