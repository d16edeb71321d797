//! The chat as CSV files, one for each table of SQLite, as its own shell exports them: a name in each
//! column's first line, nothing for null, and quotation marks around an empty text.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::fill::{Dialect, each_row};
use super::population::Population;
use super::rows::Cell;
use super::sqlite::Sqlite;

/// Writes the files into a folder.
pub(super) async fn write(folder: &Path, chat: &Population) -> io::Result<()> {
    let mut sheets = Vec::with_capacity(Sqlite::TABLES.len());
    for table in Sqlite::TABLES {
        sheets.push(Sheet::open(folder, table)?);
    }
    let add = async |table: usize, row: &[Cell<'_>]| sheets[table].push(row);
    each_row::<Sqlite, _>(chat, add).await?;
    sheets.into_iter().try_for_each(Sheet::close)
}

/// One file.
struct Sheet(BufWriter<File>);

impl Sheet {
    /// A new file for a table with its columns: `users (id, name)`.
    fn open(folder: &Path, table: &str) -> io::Result<Self> {
        let (name, columns) = table.split_once(" (").expect("each table has its columns");
        let mut file = BufWriter::new(File::create_new(folder.join(format!("{name}.csv")))?);
        let columns = columns.trim_end_matches(')').replace(", ", ",");
        writeln!(file, "{columns}")?;
        Ok(Self(file))
    }

    fn push(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.0.write_all(b",")?;
            }
            match cell {
                Cell::Null => {}
                Cell::Whole(whole) => write!(self.0, "{whole}")?,
                Cell::Text(text) if text.is_empty() || text.contains(['"', ',', '\n', '\r']) => {
                    write!(self.0, "\"{}\"", text.replace('"', "\"\""))?;
                }
                Cell::Text(text) => self.0.write_all(text.as_bytes())?,
            }
        }
        self.0.write_all(b"\n")
    }

    fn close(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
