//! A folder with taps, and a source over one.

use std::path::Path;
use std::sync::Arc;

use chatferry_core::source::Source;
use chatferry_testkit::settings;
use tempfile::TempDir;

/// A tap that keeps to Singer's specification: it prints its catalog when it is asked to discover,
/// and otherwise the stream that the catalog it was given selects. What it was given stays in the
/// file `given`.
const TAP: &str = r#"
discover=; catalog=; config=; state=
while [ $# -gt 0 ]; do
    case $1 in
        --discover) discover=yes ;;
        --catalog) catalog=$2; shift ;;
        --config) config=$2; shift ;;
        --state) state=$2; shift ;;
    esac
    shift
done
if [ -n "$config" ]; then stat -c %a "$(dirname "$config")" > given; cat "$config" >> given; fi
if [ -n "$discover" ]; then
    echo "discovering" >&2
    cat catalog.json
    exit
fi
cp "$catalog" selected.json
. ./messages.sh
"#;

/// A folder that goes away with the test.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    /// A workshop with a tap that has this catalog and prints what this script does.
    pub(crate) fn new(catalog: &str, messages: &str) -> Self {
        let workshop = Self(tempfile::tempdir().expect("a temporary folder"));
        workshop.write("tap.sh", TAP);
        workshop.write("catalog.json", catalog);
        workshop.write("messages.sh", messages);
        workshop
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.path().join(name), contents).expect("a file is written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// The source of the tap with these settings besides.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        source(
            &format!("command = [\"sh\", \"tap.sh\"]\n{settings}"),
            self.path(),
        )
    }
}

/// The source with these settings.
pub(crate) fn source(settings: &str, folder: &Path) -> Arc<dyn Source> {
    let (settings, mistakes) = settings::planned(chatferry_singer::register, settings, folder);
    assert_eq!(mistakes, "");
    let settings = settings.expect("settings in order");
    settings.open().expect("the source opens")
}
