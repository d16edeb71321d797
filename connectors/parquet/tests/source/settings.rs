//! What is said of settings that cannot be used.

use std::path::Path;

use crate::workshop::planned;

#[test]
fn every_mistake_is_noted() {
    let settings = r#"partitions = "perhaps"
[sources.legacy.tables]
a = "{x/a.parquet"
b = { path = "b.parquet", partitions = 3, colour = "red" }"#;
    insta::assert_snapshot!(planned(settings, Path::new("/")).1);
}
