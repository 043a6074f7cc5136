//! Rows of text with their columns aligned, for people who read a terminal.

/// Each row as a line after `indent`; a column is as wide as its widest cell, and no line ends in spaces.
pub(crate) fn lines(indent: &str, rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        out.push_str(format!("{indent}{}", cells.join("  ")).trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_without_spaces() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let rows = [
            row(&["a", "bcd", "e"]),
            row(&["äbc", ""]),
            row(&["a", "b", "f"]),
        ];
        assert_eq!(lines("  ", &rows), "  a    bcd  e\n  äbc\n  a    b    f\n");
        assert_eq!(lines("", &[]), "");
    }
}
