//! Killed and stopped at any time, and the same command again.

use std::collections::BTreeMap;

use chatferry_attachments::{Ended, MapError};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::sync::watch;

use crate::setup::Migration;
use chatferry_testkit::host::{Host, answer, file, status};

const FILES: usize = 40;

/// A host of many files that does something odd with every third question.
async fn odd_host(seed: usize) -> Host {
    Host::new(move |asked| {
        let number: usize = asked
            .path
            .trim_start_matches("/file-")
            .split('.')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        match (number * 7 + asked.before * 5 + seed) % 9 {
            0 => answer(429, &[("Retry-After", "0")], b""),
            1 => status(502),
            2 => answer(200, &[("Content-Length", "1000")], b"half of it"),
            _ => file(contents(number).as_bytes()),
        }
    })
    .await
}

/// Some files have the contents of others.
fn contents(number: usize) -> String {
    format!("contents of {}", number % 31)
}

fn urls(host: &Host) -> Vec<String> {
    (0..FILES)
        .map(|number| host.url(&format!("/file-{number}.bin")))
        .collect()
}

async fn everything_is_there(migration: &Migration, urls: &[String]) {
    for (number, url) in urls.iter().enumerate() {
        assert_eq!(
            migration.contents(url).await,
            contents(number).as_bytes(),
            "{url}"
        );
    }
    // One object for each of the contents, and nothing half.
    let sizes: BTreeMap<String, u64> = migration.store();
    assert_eq!(sizes.len(), 31);
}

#[test]
fn killed_at_any_question_the_same_command_goes_on() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let kills = proptest::collection::vec(1..40_usize, 0..6);
    let ran = runner.run(&(0..9_usize, kills), |(seed, kills)| {
        runtime.block_on(async {
            let host = odd_host(seed).await;
            let migration = Migration::of(&[&host]);
            let urls = urls(&host);
            for kill in kills {
                let until = host.asked().len() + kill;
                let (_stop, stopped) = watch::channel(false);
                tokio::select! {
                    // Whatever it was doing, it does no more.
                    () = host.asked_times(until) => {}
                    (account, ended) = migration.copy_until(&urls, stopped) => {
                        assert!(matches!(ended, Ended::Complete), "{ended:?}");
                        assert!(account.adds_up());
                    }
                }
            }
            // A file may have failed for good in one run; the next one tries it again.
            while migration.copy(&urls).await.lacking() > 0 {}
            everything_is_there(&migration, &urls).await;
            let asked = host.asked().len();
            let account = migration.copy(&urls).await;
            assert_eq!(account.there, FILES as u64);
            assert_eq!(
                host.asked().len(),
                asked,
                "what is there is not asked for again"
            );
        });
        Ok(())
    });
    ran.unwrap();
}

#[tokio::test]
async fn whoever_stops_it_finds_what_has_come_by_then() {
    let host = Host::new(|asked| file(asked.path.as_bytes())).await;
    let migration = Migration::of(&[&host]);
    let urls = urls(&host);
    let (stop, stopped) = watch::channel(false);
    let stopping = async {
        host.asked_times(10).await;
        stop.send_replace(true);
    };
    let ((account, ended), ()) = tokio::join!(migration.copy_until(&urls, stopped), stopping);
    assert!(matches!(ended, Ended::Stopped), "{ended:?}");
    assert!(account.adds_up());
    assert!(account.pending > 0 && account.copied > 0, "{account:?}");
    assert_eq!(migration.store().len() as u64, account.copied);

    let again = migration.copy(&urls).await;
    assert_eq!(again.there, account.copied);
    assert_eq!(again.copied, FILES as u64 - account.copied);
}

#[tokio::test]
async fn two_at_once_are_refused() {
    let migration = Migration::of(&[]);
    let map = chatferry_attachments::Map::open(&migration.map_path())
        .await
        .unwrap();
    let second: MapError = chatferry_attachments::Map::open(&migration.map_path())
        .await
        .unwrap_err();
    assert!(
        second.to_string().contains("another process is writing it"),
        "{second}"
    );
    drop(map);
    chatferry_attachments::Map::open(&migration.map_path())
        .await
        .unwrap();
}

#[tokio::test]
async fn another_file_is_no_map() {
    let migration = Migration::of(&[]);
    std::fs::write(migration.map_path(), "something else entirely, long enough").unwrap();
    let error = chatferry_attachments::Map::read(&migration.map_path())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("it is not a map of attachments"),
        "{error}"
    );
}
