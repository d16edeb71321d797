//! `shape-flow`: makes the records of a flow and throws them away, to be timed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use chatferry::args::Shared;
use chatferry::pipeline;
use chatferry::terminal::Terminal;
use chatferry::trouble::Trouble;
use clap::Parser;
use futures::StreamExt;

/// Makes the records of a flow, and prints how many there are, how long it took to look at the
/// sources, and how long to make the records.
#[derive(Parser)]
#[command(name = "shape-flow")]
struct Arguments {
    /// The pipeline
    pipeline: PathBuf,
    /// The name of the flow
    flow: String,
    #[command(flatten)]
    shared: Shared,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::new(&arguments.shared);
    match shape(&arguments, &terminal).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            terminal.trouble(&trouble);
            ExitCode::FAILURE
        }
    }
}

async fn shape(arguments: &Arguments, terminal: &Terminal) -> Result<(), Trouble> {
    let start = Instant::now();
    let opened = pipeline::open_for_sources(&arguments.pipeline, &arguments.shared, terminal)?;
    let planned = opened.plan(terminal).await?;
    let mut named = planned.flows.iter();
    let (_, plan) = named
        .find(|(flow, _)| flow.name == arguments.flow)
        .expect("the pipeline has a flow of that name");
    let looked = start.elapsed().as_secs_f64();

    let (mut shaped, mut rows) = (plan.shape(), 0);
    while let Some(batch) = shaped.next().await {
        rows += batch?.rows_read();
    }
    let took = start.elapsed().as_secs_f64() - looked;
    terminal.result(&format!(
        "{{\"rows\": {rows}, \"describe\": {looked:.3}, \"seconds\": {took:.3}}}\n"
    ));
    Ok(())
}
