//! What a table has, as the footers of its files and the order of its rows say.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Int64Type, Schema};
use chatferry_core::source::{Order, Rows, SourceError, SourceErrorKind, Table};
use chatferry_files::{Cached, Found, Inquiry, Listing, Root, Template, Tracker, refused};

use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::file::statistics::Statistics;

use crate::failure::{Part, damaged};
use crate::footer::footer;
use crate::merge::merged;
use crate::order::ordered;
use crate::partitions::{Partition, partitions};
use crate::settings::TableSettings;
use crate::types::{Column, columns};

/// A table as it was found.
#[derive(Debug)]
pub(crate) struct Described {
    /// What the source tells of it.
    pub(crate) table: Arc<Table>,
    /// Which of its columns come from the path, in the order of the table's columns.
    pub(crate) from_path: Vec<FromPath>,
    /// The files that it is read from.
    pub(crate) listing: Listing,
}

/// A column that comes from the path of a file.
#[derive(Debug)]
pub(crate) enum FromPath {
    /// The template's placeholder of that index, and its name.
    Part(usize, String),
    /// The name of a folder.
    Partition(Partition),
}

impl FromPath {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Part(_, name) => name,
            Self::Partition(partition) => &partition.name,
        }
    }

    fn kind(&self) -> DataType {
        match self {
            Self::Part(..) => DataType::Utf8,
            Self::Partition(partition) => partition.kind(),
        }
    }

    /// Offers its value in a file to what follows its order.
    fn offer(&self, file: &Found, tracker: &mut Tracker) {
        let column = self.column(file);
        if column.is_null(0) {
            return;
        }
        match column.as_string_opt::<i32>() {
            Some(text) => tracker.offer_text(text.value(0).as_bytes()),
            None => tracker.offer_whole(column.as_primitive::<Int64Type>().value(0)),
        }
    }

    /// Its value for all rows of a file, as a column of one row.
    pub(crate) fn column(&self, file: &Found) -> ArrayRef {
        match self {
            Self::Part(at, _) => Arc::new(StringArray::from_iter_values([&file.parts[*at]])),
            Self::Partition(partition) => partition.column(file),
        }
    }
}

/// The files of a table. A pattern leaves out what other programs write beside the data, under
/// names that begin with `_`.
pub(crate) fn listed(root: &Root, settings: &TableSettings) -> Result<Listing, SourceError> {
    let template = &settings.template;
    let mut listing = root.list(template)?;
    if template.is_pattern() {
        let beside = |name: &str| {
            name.split('/')
                .any(|part| part.starts_with('_') && !part.contains('='))
        };
        let fixed = template.folder().len();
        listing
            .files
            .retain(|file| !beside(&file.name[fixed.min(file.name.len())..]));
        if listing.files.is_empty() {
            let reason = "no file matches the pattern but those whose names begin with `_`";
            let doing = format!("find {}", template.written());
            return Err(SourceError::new(SourceErrorKind::NotFound, doing, reason)
                .help("name one of them in full, if that is what is meant"));
        }
    }
    Ok(listing)
}

/// Reads the footers of all files of a table. Breaks off when nobody waits for that any more.
pub(crate) fn describe(
    name: &str,
    root: &Root,
    settings: &TableSettings,
    inquiry: &Inquiry<'_>,
) -> Result<Described, SourceError> {
    let listing = listed(root, settings)?;
    let mut from_path: Vec<FromPath> = Vec::new();
    for (at, column) in settings.template.columns().iter().enumerate() {
        from_path.push(FromPath::Part(at, column.clone()));
    }
    if settings.partitions {
        for partition in partitions(&listing.files) {
            if from_path.iter().any(|other| other.name() == partition.name) {
                return Err(called_twice(settings.template.written(), &partition.name));
            }
            from_path.push(FromPath::Partition(partition));
        }
    }
    let mut trackers: Vec<Tracker> = from_path.iter().map(|_| Tracker::default()).collect();
    let mut survey = Survey::default();
    let mut files = 0;
    for file in &listing.files {
        if !inquiry.waits() {
            return Err(SourceError::new(
                SourceErrorKind::Failed,
                "describe",
                "nobody waits",
            ));
        }
        if survey.take(root, file, &from_path)? > 0 {
            for (column, tracker) in from_path.iter().zip(&mut trackers) {
                column.offer(file, tracker);
                tracker.settle(files);
            }
            files += 1;
        }
    }
    let held = from_path
        .iter()
        .zip(&trackers)
        .filter(|(_, tracker)| tracker.held());
    let of_path: Vec<Order> = held.map(|(column, _)| Order::by([column.name()])).collect();
    let mut fields: Vec<_> = survey
        .columns
        .iter()
        .map(|known| known.column.field())
        .collect();
    for column in &from_path {
        fields.push(arrow::datatypes::Field::new(
            column.name(),
            column.kind(),
            true,
        ));
    }
    let mut notes = survey.notes(listing.files.len());
    if is_delta(root, settings) {
        notes.push(
            "these are the files of a Delta table: those that it has replaced or deleted are read, too; \
             export its current state to be sure"
                .to_owned(),
        );
    }
    let has_json = survey.columns.iter().any(|known| known.column.json);
    let mut table = Table {
        name: name.to_owned(),
        schema: Arc::new(Schema::new(fields)),
        orders: Vec::new(),
        can_order: Vec::new(),
        // Whether what is declared to be JSON is some is found out when it is read.
        rows: match has_json {
            true => Rows::About(survey.rows),
            false => Rows::Exactly(survey.rows),
        },
        notes,
    };
    let mut described = Described {
        table: Arc::new(table.clone()),
        from_path,
        listing,
    };
    let cached = inquiry.cached(&described.listing, settings);
    let known: Option<Vec<String>> = cached.as_ref().and_then(Cached::get);
    let ordered = known.unwrap_or_else(|| {
        let ordered = ordered(root, settings, &described, inquiry).into_iter();
        let ordered = ordered.map(|at| table.schema.field(at).name().clone());
        let ordered: Vec<String> = ordered.collect();
        if let Some(cached) = cached.filter(|_| inquiry.waits()) {
            cached.put(&ordered);
        }
        ordered
    });
    let of_files = ordered.into_iter().map(|column| Order::by([column]));
    table.orders = of_files.chain(of_path).collect();
    described.table = Arc::new(table);
    Ok(described)
}

/// Whether a log lies beside the files that says which of them still count.
fn is_delta(root: &Root, settings: &TableSettings) -> bool {
    let log = format!("{}_delta_log/*.json", settings.template.folder());
    let log = Template::parse(&log).ok().map(|log| root.list(&log));
    settings.template.is_pattern() && log.is_some_and(|log| log.is_ok())
}

/// What the footers so far say.
#[derive(Default)]
struct Survey {
    columns: Vec<Known>,
    rows: u64,
    /// Names that stand in the path and in the files.
    hidden: Vec<String>,
}

/// One column.
struct Known {
    column: Column,
    /// The first file that has it.
    file: Arc<str>,
    /// How many files have it.
    files: usize,
    /// Whether it was widened.
    widened: bool,
    /// Whether doubles hold all of its whole numbers, as far as it has any.
    within_doubles: bool,
}

impl Survey {
    /// Takes a file into account, and gives how many rows it has.
    fn take(&mut self, root: &Root, file: &Found, path: &[FromPath]) -> Result<u64, SourceError> {
        let ranges = root.ranges(file)?;
        let footer = footer(&file.name, &ranges)?;
        let metadata = Arc::new(footer.metadata);
        let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
        self.rows += rows;
        let (reader, columns) = columns(&metadata, &footer.roles)
            .map_err(|what| damaged(&file.name, Part::Footer, &what))?;
        for (root, column) in columns.into_iter().enumerate() {
            if path.iter().any(|other| other.name() == column.name) {
                if !self.hidden.contains(&column.name) {
                    self.hidden.push(column.name);
                }
                continue;
            }
            let within_doubles = within_doubles(&reader, root);
            let known = self.columns.iter_mut();
            match known
                .into_iter()
                .find(|known| known.column.name == column.name)
            {
                Some(known) => known.meet(column, within_doubles, file)?,
                None => self.columns.push(Known {
                    column,
                    file: Arc::clone(&file.name),
                    files: 1,
                    widened: false,
                    within_doubles,
                }),
            }
        }
        Ok(rows)
    }

    fn notes(&self, files: usize) -> Vec<String> {
        let mut notes = Vec::new();
        for Known {
            column,
            files: having,
            widened,
            ..
        } in &self.columns
        {
            let name = &column.name;
            notes.extend(column.notes.iter().cloned());
            if *having < files {
                notes.push(format!(
                    "{having} of {files} files have a column `{name}`; it is null in the others"
                ));
            }
            if *widened {
                notes.push(format!(
                    "`{name}` is not of one type in all files; it is read as {}",
                    column.kind
                ));
            }
        }
        for name in &self.hidden {
            notes.push(format!(
                "`{name}` stands in the path and in the files; what the path says is read"
            ));
        }
        notes
    }
}

impl Known {
    /// Makes room for what the column holds in another file.
    fn meet(
        &mut self,
        other: Column,
        within_doubles: bool,
        file: &Found,
    ) -> Result<(), SourceError> {
        self.files += 1;
        self.within_doubles &= within_doubles;
        let (here, there) = (&self.column.kind, &other.kind);
        let doubles = || {
            // Such as of a writer that makes doubles of whole numbers where some are missing.
            let numbers = [here, there].map(|kind| kind.is_integer() || kind.is_floating());
            (self.within_doubles && numbers == [true; 2]).then_some(DataType::Float64)
        };
        let Some(kind) = merged(here, there).or_else(doubles) else {
            let reason = format!(
                "its column `{}` is {}, and in {} it is {}; no type holds both without loss",
                other.name, other.kind, self.file, self.column.kind
            );
            return Err(refused(&file.name, &reason).help(
                "read them as two tables, each with a path of its own, and put them together in a view",
            ));
        };
        self.widened |= kind != self.column.kind || kind != other.kind;
        self.column.kind = kind;
        self.column.json &= other.json;
        for note in other.notes {
            if !self.column.notes.contains(&note) {
                self.column.notes.push(note);
            }
        }
        Ok(())
    }
}

/// Whether statistics say that doubles hold all whole numbers of a column.
fn within_doubles(reader: &ArrowReaderMetadata, root: usize) -> bool {
    const EXACT: std::ops::RangeInclusive<i64> = -(1 << 53)..=1 << 53;
    let kind = reader.schema().field(root).data_type();
    if !matches!(kind, DataType::Int64 | DataType::UInt64) {
        return true;
    }
    let parquet = reader.parquet_schema();
    let of_root = |leaf: &usize| parquet.get_column_root_idx(*leaf) == root;
    let Some(leaf) = (0..parquet.num_columns()).find(of_root) else {
        return false;
    };
    reader.metadata().row_groups().iter().all(|group| {
        let statistics = group.column(leaf).statistics();
        let Some(Statistics::Int64(bounds)) = statistics else {
            return group.num_rows() == 0;
        };
        let only_nulls = bounds.null_count_opt() == u64::try_from(group.num_rows()).ok();
        let within = |bound: Option<&i64>| bound.is_some_and(|bound| EXACT.contains(bound));
        // Numbers without a sign that are beyond those with one look negative here.
        let signed = *kind == DataType::Int64 || bounds.min_opt().is_some_and(|least| *least >= 0);
        only_nulls || (signed && within(bounds.min_opt()) && within(bounds.max_opt()))
    })
}

fn called_twice(template: &str, name: &str) -> SourceError {
    let reason = format!("a placeholder and a folder both say what `{name}` is");
    let doing = format!("read {template}");
    SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        .help(format!("give the placeholder `{{{name}}}` another name"))
}
