//! `read-table`: reads a table of a source into Arrow and throws it away, to be timed beside others
//! that do the same (`benches/rivals`).

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use chatferry::connectors;
use chatferry_config::Reading;
use chatferry_core::{Scan, SourceError};
use clap::Parser;
use futures::StreamExt;

/// Reads a table into Arrow, and prints how many rows and bytes it has, how long it took to find out
/// its types, and how long to read it.
#[derive(Parser)]
#[command(name = "read-table")]
struct Arguments {
    /// The settings of the source, as in a pipeline file: connector = "sqlite", …
    #[arg(long, value_name = "TOML")]
    source: String,
    /// The table
    #[arg(long)]
    table: String,
}

#[tokio::main]
async fn main() -> Result<(), SourceError> {
    let arguments = Arguments::parse();
    let text = format!(
        "name = \"read-table\"\n[sources.source]\n{}\n[cometchat]\nbase_url = \"http://127.0.0.1\"\n\
         api_key = \"none\"\n[[flow]]\nentity = \"users\"\nfrom = \"source.any\"\n\
         fields = {{ uid = \"1\", name = \"1\" }}\n",
        arguments.source.replace(", ", "\n")
    );
    let reading = Reading {
        environment: &|_| None,
        folder: Path::new("."),
        overrides: &[],
        without_secrets: true,
    };
    let read = chatferry_config::read(&text, &connectors::all(), &reading);
    let pipeline = read.pipeline.expect("the settings are in order");
    let source = pipeline.sources[0].settings.open()?;

    let start = Instant::now();
    let table = source.describe(&arguments.table).await?;
    let described = start.elapsed().as_secs_f64();
    let columns = (0..table.schema.fields().len()).collect();
    let mut batches = source.scan(Scan::of(Arc::clone(&table), columns, 4_096));
    let (mut rows, mut bytes) = (0, 0);
    while let Some(batch) = batches.next().await {
        let batch = batch?.rows;
        rows += batch.num_rows();
        bytes += batch.get_array_memory_size();
    }
    let took = start.elapsed().as_secs_f64() - described;
    #[expect(clippy::print_stdout, reason = "the result of a program")]
    {
        println!(
            "{{\"rows\": {rows}, \"bytes\": {bytes}, \"describe\": {described:.3}, \"seconds\": {took:.3}}}"
        );
    }
    Ok(())
}
