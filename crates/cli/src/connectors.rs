//! The connectors of this program: one line each.

use chatferry_cometchat::Settings;
use chatferry_config::Registry;

/// All connectors. A new source is one line here.
#[must_use]
pub fn all() -> Registry<Settings> {
    let mut connectors = Registry::new(chatferry_cometchat::destination());
    #[cfg(feature = "adbc")]
    chatferry_adbc::register(&mut connectors);
    #[cfg(not(feature = "adbc"))]
    connectors.absent(
        "adbc",
        "`cargo install --path crates/cli --features adbc` has it",
    );
    chatferry_csv::register(&mut connectors);
    chatferry_exec::register(&mut connectors);
    chatferry_json::register(&mut connectors);
    chatferry_mbox::register(&mut connectors);
    #[cfg(feature = "mongodb")]
    chatferry_mongodb::register(&mut connectors);
    #[cfg(not(feature = "mongodb"))]
    connectors.absent(
        "mongodb",
        "`cargo install --path crates/cli --features mongodb` has it",
    );
    chatferry_mysql::register(&mut connectors);
    chatferry_parquet::register(&mut connectors);
    chatferry_postgres::register(&mut connectors);
    chatferry_singer::register(&mut connectors);
    chatferry_sqlite::register(&mut connectors);
    connectors
}
