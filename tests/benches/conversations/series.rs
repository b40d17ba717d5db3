//! Figures over the rounds.

use std::io;

use crate::machine::Spent;

/// What takes its turn in the rounds.
pub(crate) trait Named {
    /// As the tables show it.
    fn name(&self) -> &str;
}

/// One figure of one contender, round by round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// This series, and then `other`.
    pub(crate) fn chain(self, other: Self) -> Self {
        self.0.into_iter().chain(other.0).collect()
    }

    /// The median; of an even number of rounds, the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// The smallest and the largest figure.
    pub(crate) fn range(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted.first().copied().unwrap_or(f64::NAN), sorted.last().copied().unwrap_or(f64::NAN))
    }

    /// This series as a multiple of `base`, each round by the same round.
    pub(crate) fn over(&self, base: &Self) -> Self {
        self.0.iter().zip(&base.0).map(|(figure, base)| figure / base).collect()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

/// What the rounds came to.
#[derive(Clone, Debug)]
pub(crate) struct Rounds<const N: usize> {
    /// The N figures of each contender, in the order of the contenders.
    pub(crate) figures: Vec<[Series; N]>,
    /// The share of the machine that other programs had, run by run.
    pub(crate) others: Series,
}

/// Measures `contenders` in turn, `rounds` times.
///
/// A round that does not count goes first, so that no contender pays for being the first to be loaded
/// from disk, or to leave connections in `TIME_WAIT`.
///
/// # Errors
///
/// The first error of `measure`, with the name of the contender.
pub(crate) fn side_by_side<T: Named, const N: usize>(
    title: &str,
    contenders: &[T],
    rounds: usize,
    mut measure: impl FnMut(&T) -> io::Result<[f64; N]>,
) -> io::Result<Rounds<N>> {
    let mut others = Series::default();
    let mut table = vec![std::array::from_fn(|_| Series::default()); contenders.len()];
    for round in 0..=rounds {
        match round {
            0 => eprintln!("{title}: warming up"),
            _ => eprintln!("{title}: round {round} of {rounds}"),
        }
        for (contender, row) in contenders.iter().zip(&mut table) {
            let before = Spent::now()?;
            let figures =
                measure(contender).map_err(|error| with_culprit(title, contender, &error))?;
            if round > 0 {
                others.0.push(Spent::now()?.others_since(&before));
                for (series, figure) in row.iter_mut().zip(figures) {
                    series.0.push(figure);
                }
            }
        }
    }
    Ok(Rounds { figures: table, others })
}

/// The error, with what was measured and who failed.
pub(crate) fn with_culprit(title: &str, contender: &impl Named, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{title}, {}: {error}", contender.name()))
}
