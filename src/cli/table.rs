//! Aligned tables of text, measured in characters, with cells that may run over several lines.

const GAP: &str = "  ";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

#[derive(Clone, Debug)]
struct Column {
    head: String,
    align: Align,
    /// Longer texts are broken at spaces.
    widest: usize,
}

/// Rows under heads.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    spaced: bool,
}

impl Table {
    #[must_use]
    pub(super) fn left(self, head: &str) -> Self {
        self.column(head, Align::Left, usize::MAX)
    }

    #[must_use]
    pub(super) fn right(self, head: &str) -> Self {
        self.column(head, Align::Right, usize::MAX)
    }

    /// A column of text that is broken into lines of at most `widest` characters.
    #[must_use]
    pub(super) fn wrapped(self, head: &str, widest: usize) -> Self {
        self.column(head, Align::Left, widest.max(1))
    }

    /// Puts an empty line between rows.
    #[must_use]
    pub(super) fn spaced(self) -> Self {
        Self { spaced: true, ..self }
    }

    fn column(mut self, head: &str, align: Align, widest: usize) -> Self {
        self.columns.push(Column { head: head.to_owned(), align, widest });
        self
    }

    pub(super) fn row<I: IntoIterator<Item = S>, S: Into<String>>(&mut self, cells: I) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The lines, without an end of line after the last.
    #[must_use]
    pub(super) fn render(&self) -> String {
        let heads: Vec<String> = self.columns.iter().map(|column| column.head.to_uppercase()).collect();
        let rows: Vec<Vec<Vec<String>>> =
            std::iter::once(&heads).chain(&self.rows).map(|row| self.broken(row)).collect();
        let widths: Vec<usize> = (0..self.columns.len()).map(|n| width(&rows, n)).collect();
        let mut lines = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            if self.spaced && at > 0 {
                lines.push(String::new());
            }
            let height = row.iter().map(Vec::len).max().unwrap_or(0);
            lines.extend((0..height).map(|line| self.line(row, line, &widths)));
        }
        lines.join("\n")
    }

    fn broken(&self, row: &[String]) -> Vec<Vec<String>> {
        let cell = |(n, column): (usize, &Column)| {
            let text = row.get(n).map_or("", String::as_str);
            text.split('\n').flat_map(|line| wrap(line, column.widest)).collect()
        };
        self.columns.iter().enumerate().map(cell).collect()
    }

    fn line(&self, row: &[Vec<String>], line: usize, widths: &[usize]) -> String {
        let cells = self.columns.iter().zip(row).zip(widths).map(|((column, cell), width)| {
            let text = cell.get(line).map_or("", String::as_str);
            match column.align {
                Align::Left => format!("{text:<width$}"),
                Align::Right => format!("{text:>width$}"),
            }
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }
}

fn width(rows: &[Vec<Vec<String>>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column));
    cells.flatten().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// Breaks at spaces; a word that is longer than a line is cut.
#[must_use]
pub(super) fn wrap(text: &str, widest: usize) -> Vec<String> {
    if text.chars().count() <= widest {
        return vec![text.to_owned()];
    }
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let mut word = word;
        let is_first = line.is_empty();
        if !is_first && line.chars().count() + 1 + word.chars().count() <= widest {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        if !is_first {
            lines.push(std::mem::take(&mut line));
        }
        while let Some((end, _)) = word.char_indices().nth(widest) {
            let (head, tail) = word.split_at(end);
            lines.push(head.to_owned());
            word = tail;
        }
        word.clone_into(&mut line);
    }
    lines.push(line);
    lines
}

/// At most `most` characters, with an ellipsis for what is cut.
#[must_use]
pub(super) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most.saturating_sub(1)) {
        Some((end, _)) if text.chars().count() > most => format!("{}…", text[..end].trim_end()),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_in_characters() {
        let mut table = Table::default().left("name").right("g");
        table.row(["Käsespätzle", "1"]);
        table.row(["Dal", "250"]);
        assert_eq!(table.render(), "NAME           G\nKäsespätzle    1\nDal          250");
    }

    #[test]
    fn long_cells_run_over_several_lines_and_the_next_column_stays_in_place() {
        let mut table = Table::default().left("day").wrapped("lunch", 8).left("x").spaced();
        table.row(["Mon", "Lentil soup\nAnn", "1"]);
        assert_eq!(table.render(), "DAY  LUNCH   X\n\nMon  Lentil  1\n     soup\n     Ann");
    }

    #[test]
    fn a_word_longer_than_the_line_is_cut() {
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(shorten("Käse", 4), "Käse");
        assert_eq!(shorten("Käsebrot", 5), "Käse…");
    }
}
