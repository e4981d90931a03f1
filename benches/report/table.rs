//! The table of figures: what is promised, what was measured, and whether it is met.

use std::time::Duration;

use crate::Sizes;
use crate::machine;

/// What a figure counts.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    Milliseconds,
    Seconds,
    /// Millions of bytes.
    Megabytes,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Seconds => "s",
            Self::Megabytes => "MB",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => format!("{value:.2}"),
            Self::Milliseconds => format!("{value:.1}"),
            Self::Megabytes => format!("{value:.0}"),
        }
    }
}

/// One line.
struct Row {
    name: String,
    unit: Unit,
    aim: f64,
    values: Vec<f64>,
    /// Seconds on a processor, for each run.
    cpu: Option<f64>,
    load: f64,
}

pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
    full: bool,
}

impl Table {
    pub const fn new(sizes: &Sizes) -> Self {
        Self { rows: Vec::new(), notes: Vec::new(), full: sizes.full }
    }

    /// Adds a figure, and says it at once: the whole table takes minutes.
    pub fn add(&mut self, name: &str, unit: Unit, aim: f64, values: Vec<f64>, cpu: Option<Duration>) {
        let mut row = Row {
            name: name.to_owned(),
            unit,
            aim,
            values,
            cpu: cpu.map(|cpu| cpu.as_secs_f64()),
            load: machine::load(),
        };
        row.values.sort_by(f64::total_cmp);
        eprintln!("bench: {}", row.cells().join("  "));
        self.rows.push(row);
    }

    /// Something that whoever reads the figures should know.
    pub fn note(&mut self, text: String) {
        eprintln!("bench: {text}");
        self.notes.push(text);
    }

    pub fn print(&self) {
        let head = ["figure", "aim", "median", "min", "max", "n", "processor", "load", "verdict"];
        let mut lines = vec![head.map(str::to_owned).to_vec()];
        lines.extend(self.rows.iter().map(Row::cells));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        for line in &lines {
            let cells = line.iter().zip(&widths).enumerate().map(|(n, (cell, width))| match n {
                0 | 8 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
        println!();
        println!("processor: seconds on a processor for each run; load: of the machine, mean of the minute before");
        println!("{}", machine::described());
        for note in &self.notes {
            println!("{note}");
        }
        if !self.full {
            println!("quick: small sizes, no figures of anything");
        }
    }
}

impl Row {
    fn median(&self) -> f64 {
        let middle = self.values.len() / 2;
        if self.values.len().is_multiple_of(2) {
            f64::midpoint(self.values[middle - 1], self.values[middle])
        } else {
            self.values[middle]
        }
    }

    fn cells(&self) -> Vec<String> {
        let unit = self.unit;
        let (median, last) = (self.median(), self.values.len() - 1);
        // Time may be longer in a bad moment, memory may never be more.
        let judged = if matches!(unit, Unit::Megabytes) { self.values[last] } else { median };
        let verdict = if judged <= self.aim {
            "met".to_owned()
        } else {
            format!("missed by {} {}", unit.show(judged - self.aim), unit.name())
        };
        vec![
            self.name.clone(),
            format!("{} {}", self.aim, unit.name()),
            unit.show(median),
            unit.show(self.values[0]),
            unit.show(self.values[last]),
            self.values.len().to_string(),
            self.cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.3} s")),
            format!("{:.1}", self.load),
            verdict,
        ]
    }
}
