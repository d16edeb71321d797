//! Is what the libraries show what was agreed that they show?

use std::path::Path;

use xtask::api::{LIBRARIES, of};

#[test]
fn what_libraries_show_changes_only_on_purpose() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let repository = package.parent().expect("the package is in the repository");
    for library in LIBRARIES {
        let path = repository.join(format!("docs/api/{library}.txt"));
        let agreed = std::fs::read_to_string(&path).unwrap_or_default();
        let now = of(repository, library).expect("its sources can be read");
        let differs = agreed
            .lines()
            .zip(now.lines())
            .position(|(before, after)| before != after);
        let differs = differs.unwrap_or(agreed.lines().count().min(now.lines().count()));
        assert!(
            agreed == now,
            "chatferry-{library} shows something else than {} says, from line {} on:\n  {}\n\
             look at the difference that `cargo xtask api` makes, and commit it if it is meant",
            path.display(),
            differs + 1,
            now.lines().nth(differs).unwrap_or("(nothing)"),
        );
    }
}
