//! How many typing errors lie between two words.

/// Insertions, deletions, replacements and swaps of neighbours from `a` to `b`; `None` above `most` (at most 3).
pub(super) fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    const LONGEST: usize = 24;
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > most || a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let mut before_last = [0_usize; LONGEST + 1];
    let mut last: [usize; LONGEST + 1] = std::array::from_fn(|at| at);
    for (row, &from) in a.iter().enumerate() {
        let mut current = [row + 1; LONGEST + 1];
        for (column, &to) in b.iter().enumerate() {
            let replaced = last.get(column)? + usize::from(from != to);
            let best = replaced.min(last.get(column + 1)? + 1).min(current.get(column)? + 1);
            let swapped =
                row > 0 && column > 0 && a.get(row - 1) == Some(&to) && b.get(column - 1) == Some(&from);
            let with_swap = if swapped { best.min(before_last.get(column - 1)? + 1) } else { best };
            *current.get_mut(column + 1)? = with_swap;
        }
        if current.iter().take(b.len() + 1).min().is_some_and(|&least| least > most) {
            return None;
        }
        before_last = last;
        last = current;
    }
    last.get(b.len()).copied().filter(|&distance| distance <= most)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn typing_errors_are_counted_up_to_a_bound() {
        assert_eq!(distance("jalepeno", "jalapeno", 2), Some(1));
        assert_eq!(distance("brocolli", "broccoli", 2), Some(2));
        assert_eq!(distance("tumreic", "turmeic", 2), Some(1));
        assert_eq!(distance("butter", "flour", 2), None);
        assert_eq!(distance("", "ab", 2), Some(2));
    }
}
