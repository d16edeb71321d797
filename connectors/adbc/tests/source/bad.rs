//! Drivers that cannot be used.

use chatferry_testkit::reading::error_shown;

use crate::drivers::{driver, opened, source};

#[test]
fn a_library_that_is_not_there_is_an_error_with_advice() {
    let error = opened("driver = \"drivers/libadbc_driver_none.so\"").expect_err("an error");
    insta::assert_snapshot!(error_shown(&error));
}

#[tokio::test]
async fn a_name_that_no_driver_has_is_an_error_with_advice() {
    let source = opened("driver = \"no-such-driver-at-all\"").expect("the source opens");
    let error = source.tables().await.expect_err("an error");
    let shown = error_shown(&error);
    assert!(
        shown.contains("cannot load the driver no-such-driver-at-all"),
        "{shown}"
    );
    assert!(shown.contains("help: set `driver`"), "{shown}");
}

#[tokio::test]
async fn a_file_that_is_no_library_is_an_error_with_advice() {
    let text = driver("sqlite").with_file_name("__init__.py");
    let settings = format!("driver = {:?}", text.display().to_string());
    let source = opened(&settings).expect("the source opens");
    let shown = error_shown(&source.tables().await.expect_err("an error"));
    assert!(shown.contains("cannot load the driver"), "{shown}");
    assert!(shown.contains("help: set `driver`"), "{shown}");
}

#[tokio::test]
async fn an_option_that_the_driver_does_not_know_is_an_error_with_advice() {
    let settings = "options = { uri = \":memory:\", \"no.such.option\" = \"hunter2\" }";
    let source = source("sqlite", settings).expect("the source opens");
    let error = source.tables().await.expect_err("an error");
    let shown = format!("{}{error:?}", error_shown(&error));
    assert!(shown.contains("cannot open the database"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
