//! What stands at the end of a Parquet file and says what is in it.

use std::sync::Arc;

use chatferry_core::source::SourceError;
use chatferry_files::{Ranges, refused};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
};

use crate::failure::{Part, damaged, guarded};
use crate::input::Input;
use crate::roles::{Role, as_bytes, roles};

/// Bytes read from the end of a file at first: most footers are shorter, and one question is
/// enough then.
const TAIL: u64 = 64 << 10;
/// Bytes behind the footer: its length and the mark.
const END: usize = 8;
/// What a file begins and ends with.
const MARK: &[u8] = b"PAR1";
/// What a file ends with whose footer is encrypted.
const ENCRYPTED: &[u8] = b"PARE";

/// What the footer of a file says.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) metadata: ParquetMetaData,
    /// What the plain columns hold; of some, the metadata says no more than that it is bytes.
    pub(crate) roles: Vec<Role>,
}

/// Reads the footer of a file.
pub(crate) fn footer(name: &str, ranges: &Arc<dyn Ranges>) -> Result<Footer, SourceError> {
    let length = ranges.len();
    if length == 0 {
        return Err(refused(name, "it is empty").help("export or download it again"));
    }
    let tail = ranges.read(length.saturating_sub(TAIL)..length)?;
    if tail.ends_with(ENCRYPTED) {
        return Err(encrypted(name));
    }
    if tail.len() < END + MARK.len() || !tail.ends_with(MARK) {
        return Err(no_parquet(name, ranges));
    }
    let mark = tail.len() - END;
    let written = tail[mark..mark + 4].try_into().expect("four bytes");
    let footer = u64::from(u32::from_le_bytes(written));
    let whole = footer + END as u64;
    if whole + MARK.len() as u64 > length {
        let what = "it would be longer than the file";
        return Err(damaged(name, Part::Footer, what));
    }
    let bytes = match tail
        .len()
        .checked_sub(usize::try_from(whole).unwrap_or(usize::MAX))
    {
        Some(start) => tail.slice(start..mark),
        None => ranges.read(length - whole..length - END as u64)?,
    };
    let read = guarded(|| {
        let schema = ParquetMetaDataReader::decode_schema(&bytes)?;
        let options = ParquetMetaDataOptions::new().with_schema(as_bytes(&schema)?);
        let options = Some(&options);
        Ok::<_, ParquetError>(Footer {
            metadata: ParquetMetaDataReader::decode_metadata_with_options(&bytes, options)?,
            roles: roles(&schema),
        })
    });
    let footer = read.map_err(|what| damaged(name, Part::Footer, &what))?;
    check(name, &footer.metadata)?;
    Ok(footer)
}

/// The same footer with the index of its pages, where there is one that can be read.
pub(crate) fn with_pages(metadata: ParquetMetaData, input: &Input) -> Arc<ParquetMetaData> {
    let plain = metadata.clone();
    let read = guarded(|| {
        let mut reader = ParquetMetaDataReader::new_with_metadata(metadata)
            .with_page_index_policy(PageIndexPolicy::Optional);
        reader.read_page_indexes(input)?;
        reader.finish()
    });
    Arc::new(read.unwrap_or(plain))
}

/// Whether the parts of the footer agree.
fn check(name: &str, metadata: &ParquetMetaData) -> Result<(), SourceError> {
    let file = metadata.file_metadata();
    let columns = file.schema_descr().num_columns();
    let groups = metadata.row_groups();
    let mut rows = 0_i64;
    for group in groups {
        if group.num_columns() != columns || group.num_rows() < 0 {
            let what = "a row group does not have the columns that the file has";
            return Err(damaged(name, Part::Footer, what));
        }
        rows = rows.saturating_add(group.num_rows());
    }
    if rows != file.num_rows() {
        let what = format!(
            "its row groups have {rows} rows, and it says that there are {}",
            file.num_rows()
        );
        return Err(damaged(name, Part::Footer, &what));
    }
    Ok(())
}

fn encrypted(name: &str) -> SourceError {
    refused(name, "it is encrypted")
        .help("decrypt it first, such as with the program that wrote it")
}

fn no_parquet(name: &str, ranges: &Arc<dyn Ranges>) -> SourceError {
    let begins = ranges.read(0..ranges.len().min(MARK.len() as u64));
    match begins {
        Ok(head) if head == MARK || head == ENCRYPTED => {
            refused(name, "it breaks off: a Parquet file ends with `PAR1`")
                .help("export or download it again; without its end nothing of it can be read")
        }
        Ok(_) => refused(name, "it is not a Parquet file")
            .help("check that `path` names Parquet files, and no other"),
        Err(error) => error,
    }
}
