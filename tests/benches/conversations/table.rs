//! Plain aligned tables: the first column to the left, figures to the right.

use crate::series::Series;

/// More of the machine than this in other hands shows in the figures.
const QUIET: f64 = 0.05;

/// Prints `rows` under `header`, every column as wide as its widest cell.
pub(crate) fn print(title: &str, header: &[&str], rows: &[Vec<String>]) {
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    let mut widths = vec![0; header.len()];
    for row in std::iter::once(&header).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    println!("\n{title}");
    for row in std::iter::once(&header).chain(rows) {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("  {cell:width$}") } else { format!("  {cell:>width$}") }
        });
        println!("{}", cells.collect::<String>().trim_end());
    }
}

/// What a measured ratio should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// Prints each figure with its range over the rounds beside what it should be. One of no rounds was not
/// measured.
pub(crate) fn print_goals(goals: &[(&str, Series, Goal)]) {
    let rows: Vec<_> = goals
        .iter()
        .map(|(what, series, goal)| {
            let median = series.median();
            let (wanted, met) = match *goal {
                Goal::AtLeast(bound) => (format!("≥ {}", ratio(bound)), median >= bound),
                Goal::AtMost(bound) => (format!("≤ {}", ratio(bound)), median <= bound),
            };
            let (measured, range, verdict) = if median.is_nan() {
                ("-".to_owned(), "-".to_owned(), "not measured")
            } else {
                let (low, high) = series.range();
                let range = format!("{} to {}", ratio(low), ratio(high));
                (ratio(median), range, if met { "met" } else { "missed" })
            };
            vec![(*what).to_owned(), wanted, measured, range, verdict.to_owned()]
        })
        .collect();
    print("  targets", &["barewire", "wanted", "measured", "range", ""], &rows);
}

/// Prints how much other programs had of the machine, and whether that spoils the figures.
pub(crate) fn print_others(others: &Series) {
    let (median, (_, worst)) = (others.median(), others.range());
    let advice = if worst > QUIET { ": measure again when it is quiet" } else { "" };
    println!(
        "  other programs had at least {} of the machine, {} in the worst run{advice}",
        percent(median),
        percent(worst),
    );
}

/// A ratio, or any figure of which three or four digits matter.
pub(crate) fn ratio(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { count(value) }
}

/// A figure of which the last digits before the point matter, in groups of three.
pub(crate) fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    if value <= -0.5 {
        grouped.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share of one processor.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
