//! A real tap over a real database, which goes on from where all was settled.

use std::time::Duration;

use chatferry_simulator::Settings;
use chatferry_tests::account::{self, rows};
use chatferry_tests::{Folder, Served, unlimited};
use tokio::task::block_in_place;

use crate::chat::pipeline;
use crate::database::InDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_reads_only_what_has_come() {
    let chat = InDatabase::new().await;
    let (folder, served) = (Folder::new(), block_in_place(|| Served::new(unlimited())));
    let pipeline = pipeline(&folder, &served, &chat.source());
    let run = |more: &[&str]| {
        let run = ["run", &pipeline, "--format", "json"];
        let run: Vec<&str> = run.iter().chain(more).copied().collect();
        block_in_place(|| account::of(&folder.run(&run).expect(0)))
    };
    let first = run(&[]);
    assert_eq!(first["messages"], rows(&[("read", 300), ("imported", 300)]));

    // The tap gives the last row that it gave once more.
    chat.say(301, 305).await;
    let second = run(&[]);
    assert_eq!(
        second["messages"],
        rows(&[("read", 6), ("earlier", 1), ("imported", 5)])
    );
    assert_eq!(second["users"], rows(&[("read", 2), ("earlier", 2)]));
    assert_eq!(run(&[])["messages"], rows(&[("read", 1), ("earlier", 1)]));
    assert_eq!(
        run(&["--everything"])["messages"],
        rows(&[("read", 305), ("earlier", 305)])
    );
    assert_eq!(run(&[])["messages"], rows(&[("read", 1), ("earlier", 1)]));
    assert_eq!(served.counts().messages, 305);
    block_in_place(|| drop(served));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_between_loses_nothing() {
    let chat = InDatabase::new().await;
    let (folder, served) = (
        Folder::new(),
        block_in_place(|| {
            Served::new(Settings {
                latency: Duration::from_millis(50),
                ..unlimited()
            })
        }),
    );
    let pipeline = pipeline(&folder, &served, &chat.source());
    let run = ["run", &pipeline, "--format", "json"];
    block_in_place(|| folder.run(&run).expect(0));
    chat.say(301, 3_000).await;
    block_in_place(|| {
        let mut running = folder.start(&run);
        running.until("some are stored", || served.counts().messages > 800);
        running.kill();
    });
    assert!(served.counts().messages < 3_000, "it was killed in between");
    chat.say(3_001, 3_010).await;
    block_in_place(|| folder.run(&run).expect(0));
    // What had come before where the killed run was gone on with is found at the latest now.
    block_in_place(|| folder.run(&run).expect(0));
    let stored = served.stored();
    let mut ids: Vec<u32> = stored
        .muids()
        .iter()
        .map(|id| id.parse().unwrap())
        .collect();
    assert_eq!(ids.len(), 3_010);
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(1..=3_010), "each is there once");
    assert_eq!(served.counts().order_violations, 0);
    block_in_place(|| drop(served));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_is_piped_into_the_target_and_given_the_state_that_it_prints() {
    let chat = InDatabase::new().await;
    let (folder, served) = (Folder::new(), block_in_place(|| Served::new(unlimited())));
    let pipeline = pipeline(&folder, &served, "path = \"-\"");
    block_in_place(|| chat.write_catalog(&folder));
    let target = ["singer-target", &pipeline, "--format", "json"];
    let pipe = |state: Option<&str>| {
        block_in_place(|| chat.pipe(&folder, state, &target).ended().expect(0))
    };
    let first = pipe(None);
    assert_eq!(served.counts().messages, 300);
    assert_eq!(first.out.lines().count(), 1, "{}", first.out);
    assert!(first.out.contains("bookmarks"), "{}", first.out);

    chat.say(301, 305).await;
    let second = pipe(Some(first.out.trim()));
    assert!(
        second.err.contains("\"read\":6"),
        "the tap goes on: {}",
        second.err
    );
    assert_eq!(served.counts().messages, 305);
    assert_eq!(served.counts().order_violations, 0);
    block_in_place(|| drop(served));
}
