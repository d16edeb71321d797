//! The chat as CSV files, one for each table of SQLite, as its own shell exports them: a name in each
//! column's first line, nothing for null, and quotation marks around an empty text.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::fill::Dialect;
use super::population::Population;
use super::rows::Cell;
use super::sqlite::Sqlite;

/// Writes the files into a folder.
pub(super) fn write(folder: &Path, chat: &Population) -> io::Result<()> {
    let open = |table: &str| Sheet::open(folder, table);
    let [
        people,
        conversations,
        participants,
        messages,
        files,
        reactions,
    ] = Sqlite::TABLES;
    let mut sheet = open(people)?;
    for person in chat.people() {
        sheet.push(&Sqlite::person(&person))?;
    }
    sheet.close()?;
    let mut sheet = open(conversations)?;
    for conversation in chat.conversations() {
        sheet.push(&Sqlite::conversation(chat, &conversation))?;
    }
    sheet.close()?;
    let mut sheet = open(participants)?;
    for participant in chat.participants() {
        if let Some(row) = Sqlite::participant(chat, &participant) {
            sheet.push(&row)?;
        }
    }
    sheet.close()?;
    let (mut messages, mut files, mut reactions) =
        (open(messages)?, open(files)?, open(reactions)?);
    let mut number = 0;
    for message in chat.messages() {
        messages.push(&Sqlite::message(chat, &message))?;
        for (file, place) in message.files.iter().zip(1..) {
            number += 1;
            files.push(&Sqlite::file(&message, file, place, number))?;
        }
        for reaction in &message.reactions {
            if let Some(row) = Sqlite::reaction(chat, &message, reaction) {
                reactions.push(&row)?;
            }
        }
    }
    messages.close()?;
    files.close()?;
    reactions.close()
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
