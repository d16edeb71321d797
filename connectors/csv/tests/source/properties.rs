//! What must hold for every input.

use std::fmt::Write as _;

use arrow::array::{Array, AsArray};
use chatferry_testkit::source::assert_contract;
use proptest::prelude::*;

use crate::workshop::{Workshop, rows, values};

/// How a table is written.
#[derive(Clone, Debug)]
struct Writing {
    delimiter: char,
    quote: char,
    /// Whether a quote within quotes is doubled, or else escaped.
    doubled: bool,
    line_break: &'static str,
    /// Whether everything is put between quotes, or only what must be.
    all: bool,
    header: bool,
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    Utf8,
    Utf8Marked,
    Utf16Le,
    Utf16Be,
}

impl Writing {
    fn write(&self, table: &[Vec<Option<String>>], width: usize) -> Vec<u8> {
        let mut text = String::new();
        if self.encoding != Encoding::Utf8 {
            text.push('\u{feff}');
        }
        if self.header {
            let names: Vec<String> = (1..=width).map(|at| format!("column_{at}")).collect();
            text.push_str(&names.join(&self.delimiter.to_string()));
            text.push_str(self.line_break);
        }
        for row in table {
            let fields: Vec<String> = row
                .iter()
                .map(|value| self.field(value.as_deref()))
                .collect();
            // A line of nothing would be no record.
            let line = match fields.as_slice() {
                [only] if only.is_empty() => format!("{0}{0}", self.quote),
                fields => fields.join(&self.delimiter.to_string()),
            };
            text.push_str(&line);
            text.push_str(self.line_break);
        }
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Marked => text.into_bytes(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }

    fn field(&self, value: Option<&str>) -> String {
        let Some(value) = value else {
            return String::new();
        };
        let special = [self.delimiter, self.quote, '\n', '\r', '\\'];
        if !self.all && !value.is_empty() && !value.contains(special) {
            return value.to_owned();
        }
        let inner = match self.doubled {
            true => value.replace(self.quote, &format!("{0}{0}", self.quote)),
            false => value
                .replace('\\', "\\\\")
                .replace(self.quote, &format!("\\{}", self.quote)),
        };
        format!("{0}{inner}{0}", self.quote)
    }

    fn settings(&self) -> String {
        let mut settings = format!(
            "path = \"a.csv\"\ndelimiter = {:?}\nquote = {:?}\nheader = {}\n",
            self.delimiter.to_string(),
            self.quote.to_string(),
            self.header
        );
        if !self.doubled {
            settings.push_str("escape = \"\\\\\"\n");
        }
        settings
    }
}

fn writing() -> impl Strategy<Value = Writing> {
    (
        prop::sample::select(vec![',', ';', '\t', '|', ' ']),
        prop::sample::select(vec!['"', '\'']),
        any::<bool>(),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(vec![
            Encoding::Utf8,
            Encoding::Utf8Marked,
            Encoding::Utf16Le,
            Encoding::Utf16Be,
        ]),
    )
        .prop_map(
            |(delimiter, quote, doubled, line_break, all, header, encoding)| Writing {
                delimiter,
                quote,
                doubled,
                line_break,
                all,
                header,
                encoding,
            },
        )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c,;|\"'\\\\\r\n\t ]{0,6}",
        2 => "-?[0-9]{1,4}([.][0-9]{1,3})?",
        1 => prop::sample::select(vec!["true", "false", "007", "1e3", "NULL"]).prop_map(str::to_owned),
        1 => any::<String>().prop_map(|text| text.replace('\0', "")),
    ]
}

fn table() -> impl Strategy<Value = (Vec<Vec<Option<String>>>, usize)> {
    (1_usize..5).prop_flat_map(|width| {
        let row = prop::collection::vec(prop::option::weighted(0.8, text()), width);
        (prop::collection::vec(row, 1..12), Just(width))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_is_read_back((table, width) in table(), writing in writing()) {
        let workshop = Workshop::with("a.csv", writing.write(&table, width));
        let source = workshop.source(&writing.settings());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(rows(&source, "records")).expect("rows");
        prop_assert!(read.failed.is_none());
        prop_assert!(read.rejected.is_empty(), "{:?}", read.rejected);
        prop_assert_eq!(read.rows.num_rows(), table.len());
        for (at, row) in table.iter().enumerate() {
            let again = values(&read.rows, at);
            for (column, (written, read_again)) in row.iter().zip(again).enumerate() {
                let array = read.rows.column(column);
                // The only field of a row is written as empty text where it is null.
                let written = match (written, width) {
                    (None, 1) if array.as_string_opt::<i32>().is_some() => Some(String::new()),
                    (written, _) => written.clone(),
                };
                match written {
                    None => prop_assert!(array.is_null(at)),
                    Some(text) if array.is_null(at) => prop_assert!(
                        text.is_empty() && array.as_string_opt::<i32>().is_none()
                    ),
                    Some(text) => {
                        let same = text == read_again
                            // The words for the whole column may have a point where it has none.
                            || text.parse::<f64>().is_ok_and(|number| {
                                array.as_string_opt::<i32>().is_none()
                                    && read_again.parse::<f64>().is_ok_and(|again| again == number)
                            });
                        prop_assert!(same, "{text:?} was read as {read_again:?}");
                    }
                }
            }
        }
    }

    /// Whatever the bytes are, nothing panics, and the contract holds.
    #[test]
    fn any_bytes_are_records_or_are_rejected_with_a_place(
        bytes in prop::collection::vec(
            prop_oneof![
                8 => prop::sample::select(b"ab1,;\"'\\\n\r\t #".to_vec()),
                1 => any::<u8>(),
            ],
            0..200,
        ),
        settings in prop::sample::select(vec![
            "",
            "trim = true",
            "escape = \"\\\\\"",
            "quote = \"none\"\nescape = \"\\\\\"\nescape_letters = true",
            "comment = \"#\"\nshort_rows = \"null\"",
            "header = false",
            "encoding = \"windows-1252\"",
            "encoding = \"utf-16le\"",
            "max_record = 8",
            "max_record = 8\ntrim = true\ncomment = \"#\"\nescape = \"\\\\\"",
        ]),
    ) {
        let workshop = Workshop::with("a.csv", &bytes);
        let source = workshop.source(&format!("path = \"a.csv\"\n{settings}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let Ok(read) = runtime.block_on(rows(&source, "records")) else {
            return Ok(());
        };
        prop_assert!(read.failed.is_none());
        for row in &read.rejected {
            let place = row.place.as_ref().expect("a place");
            prop_assert!(place.byte.expect("a byte") < bytes.len() as u64);
            let before = &bytes[..usize::try_from(place.byte.expect("a byte")).expect("small")];
            if !settings.contains("utf-16") {
                let text: String = before.iter().map(|byte| char::from(*byte)).collect();
                let breaks = text.replace("\r\n", "\n").matches(['\n', '\r']).count();
                prop_assert_eq!(place.line, Some(1 + breaks as u64), "{:?}", row);
            }
        }
        runtime.block_on(assert_contract(source, "records"));
    }
}

/// What `csv-core` makes of the same bytes: its records, and the fields of each.
fn peer(bytes: &[u8], delimiter: u8) -> Vec<Vec<Vec<u8>>> {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let (mut output, mut ends) = (vec![0; 4096], vec![0; 1024]);
    let mut records = Vec::new();
    let (mut input, mut written, mut ended) = (bytes, 0, 0);
    loop {
        let (result, read, out, end) =
            reader.read_record(input, &mut output[written..], &mut ends[ended..]);
        input = &input[read..];
        written += out;
        ended += end;
        match result {
            csv_core::ReadRecordResult::Record => {
                let mut start = 0;
                let fields = ends[..ended].iter().map(|end| {
                    let field = output[start..*end].to_vec();
                    start = *end;
                    field
                });
                records.push(fields.collect());
                (written, ended) = (0, 0);
            }
            csv_core::ReadRecordResult::End => return records,
            csv_core::ReadRecordResult::InputEmpty => {}
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Where records and fields end is where a well-known reader finds it.
    #[test]
    fn records_end_where_another_reader_ends_them(
        text in "[ab,;\"\n\r]{0,60}",
        delimiter in prop::sample::select(b",;".to_vec()),
    ) {
        let peers = peer(text.as_bytes(), delimiter);
        let width = peers.iter().map(Vec::len).max().unwrap_or(0);
        if width == 0 {
            return Ok(());
        }
        let names: Vec<String> = (0..width).map(|at| format!("\"c{at}\"")).collect();
        let workshop = Workshop::with("a.csv", &text);
        let mut settings = String::new();
        write!(
            settings,
            "path = \"a.csv\"\nheader = false\nshort_rows = \"null\"\ndelimiter = \"{}\"\ncolumns = [{}]\nnulls = []\n[sources.legacy.schema]\n",
            char::from(delimiter),
            names.join(", "),
        ).expect("text");
        for name in &names {
            writeln!(settings, "{name} = \"text\"").expect("text");
        }
        let source = workshop.source(&settings);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = match runtime.block_on(rows(&source, "records")) {
            Ok(read) => read,
            // Not one of its records is written as it should be.
            Err(error) => {
                prop_assert!(error.to_string().contains("quote"), "{error}");
                return Ok(());
            }
        };
        prop_assert_eq!(read.rows.num_rows() + read.rejected.len(), peers.len());
        let mut given = (0..read.rows.num_rows()).map(|row| {
            let cells = read.rows.columns().iter().map(|column| {
                let column = column.as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).as_bytes().to_vec())
            });
            cells.flatten().collect::<Vec<Vec<u8>>>()
        });
        // Those that are rejected are left out of the peer's.
        let mut peers = peers.into_iter();
        for row in given.by_ref() {
            prop_assert!(peers.any(|peer| peer == row), "{row:?} of {text:?}");
        }
    }
}
