//! Meltano, which runs a tap and the target, and keeps the state between.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use chatferry_testkit::servers::python;
use chatferry_tests::{Folder, Served, unlimited};

use crate::chat::{SCHEMAS, pipeline, user};

/// What is installed.
const PACKAGE: &str = "meltano==4.4.1";

const PROJECT: &str = "
default_environment: dev
environments:
- name: dev
project_id: 00000000-0000-0000-0000-000000000001
plugins:
  extractors:
  - name: tap-chat
    namespace: tap_chat
    executable: ./tap.sh
    capabilities: [state]
  loaders:
  - name: target-cometchat
    namespace: target_cometchat
    executable: ./target.sh
    settings:
    - name: pipeline
    - name: set
      kind: object
    config:
      pipeline: pipeline.toml
      set:
        cometchat.api_key: right
        cometchat.in_flight: 2
";

/// A tap that says three messages more each time, messages first.
const TAP: &str = r#"#!/bin/sh
from=0
while [ $# -gt 0 ]; do
    case $1 in --state) from=$(tr -dc 0-9 < "$2"); shift ;; esac
    shift
done
cat announced
upto=$((from + 3))
while [ "$from" -lt "$upto" ]; do
    from=$((from + 1))
    echo "{\"type\":\"RECORD\",\"stream\":\"messages\",\"record\":{\"id\":$from,\"author\":1,\"body\":\"hi\"}}"
done
cat people
echo "{\"type\":\"STATE\",\"value\":{\"messages\":$from}}"
"#;

fn write_program(folder: &Folder, name: &str, script: &str) {
    let path = folder.write(name, script);
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// What Meltano says to that.
fn meltano(installed: &Path, folder: &Folder, arguments: &[&str]) -> String {
    let said = Command::new(installed.join("bin/meltano"))
        .args(arguments)
        .current_dir(folder.path())
        .env("MELTANO_SEND_ANONYMOUS_USAGE_STATS", "false")
        .output()
        .unwrap();
    let [out, err] = [said.stdout, said.stderr].map(|said| String::from_utf8(said).unwrap());
    assert!(said.status.success(), "{out}{err}");
    out
}

#[test]
fn meltano_runs_the_target_and_gives_the_tap_its_state() {
    let installed = python::environment(PACKAGE, "install it there yourself");
    let folder = Folder::new();
    let served = Served::new(chatferry_simulator::Settings {
        api_key: Some("right".into()),
        ..unlimited()
    });
    pipeline(&folder, &served, "path = \"-\"");
    let program = env!("CARGO_BIN_EXE_chatferry-under-test");
    folder.write("meltano.yml", PROJECT);
    folder.write("announced", SCHEMAS);
    folder.write("people", user(1));
    write_program(&folder, "tap.sh", TAP);
    let target = format!("#!/bin/sh\n{program} singer-target \"$@\" || [ $? -eq 7 ]\n");
    write_program(&folder, "target.sh", &target);

    for upto in [3, 6] {
        meltano(
            &installed,
            &folder,
            &["run", "tap-chat", "target-cometchat"],
        );
        let stored = served.stored();
        assert_eq!(stored.muids().len(), upto, "{:?}", stored.muids());
        let id = "dev:tap-chat-to-target-cometchat";
        let state = meltano(&installed, &folder, &["state", "get", id]);
        let state: String = state.split_whitespace().collect();
        assert!(state.contains(&format!("\"messages\":{upto}}}")), "{state}");
    }
    assert_eq!(served.counts().users, 1);
    assert_eq!(served.counts().order_violations, 0);
}
