//! Mattermost, as its bulk export has it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chatferry_tests::account::{Rows, rows};
use serde_json::Value;

use crate::{golden_with, real, rehearsed, sample};

#[test]
fn the_account_of_the_sample_is_what_its_lines_say() {
    let account = rehearsed("mattermost-bulk", &[]);
    assert_eq!(account, counted(&sample("mattermost-bulk", "export")));
    assert_eq!(account["messages"]["imported"], 14);
}

#[test]
fn the_account_of_real_exports_is_what_their_lines_say() {
    for name in [
        "mattermost-zulip-fixture/main",
        "mattermost-zulip-fixture/guest",
        "mattermost-zulip-fixture/direct_channel",
        "mattermost-bulk-sample",
    ] {
        if let Some(folder) = real(name) {
            let root = format!("sources.mattermost.root={}", folder.display());
            let account = rehearsed("mattermost-bulk", &["--set", &root]);
            assert_eq!(account, counted(&folder), "{name}");
        }
    }
}

#[test]
fn without_bots_what_they_wrote_and_read_is_left_out_by_name() {
    let account = rehearsed("mattermost-bulk", &["--set", "variables.bots=false"]);
    assert_eq!(account["users"]["skipped: bot"], 1);
    assert_eq!(account["messages"]["skipped: bot"], 2);
}

#[test]
fn records_are_as_they_are_written_down_here() {
    let files = "variables.files=https://files.example.org/data/";
    insta::assert_snapshot!(golden_with("mattermost-bulk", &["--set", files]));
}

/// The account that a first run must give.
fn counted(folder: &Path) -> BTreeMap<String, Rows> {
    let file = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    let lines: Vec<Value> = std::fs::read_to_string(file.unwrap())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &'static str| {
        let lines = lines.iter().filter(move |line| line["type"] == kind);
        lines.map(move |line| &line[kind])
    };

    let channels: BTreeSet<String> = of("channel")
        .map(|channel| place(channel, "name"))
        .collect();
    let mut people: BTreeSet<String> = of("user")
        .chain(of("bot"))
        .map(|user| text(&user["username"]))
        .collect();
    let mut direct: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for channel in of("direct_channel") {
        let participants = list(&channel["participants"]).iter();
        let names = participants.map(|person| &person["username"]);
        direct.insert(names.chain(list(&channel["members"])).map(text).collect());
    }

    let (mut read, mut notices, mut elsewhere, mut empty, mut twice) = (0, 0, 0, 0, 0);
    let mut seen = BTreeSet::new();
    for (kind, post) in of("post")
        .map(|post| ("post", post))
        .chain(of("direct_post").map(|post| ("direct", post)))
    {
        let members: BTreeSet<String> = list(&post["channel_members"]).iter().map(text).collect();
        let known = kind == "direct" || channels.contains(&place(post, "channel"));
        let wherever = format!("{}{members:?}", place(post, "channel"));
        if kind == "direct" {
            direct.insert(members);
        }
        for (nth, one) in [post].into_iter().chain(list(&post["replies"])).enumerate() {
            let files = list(&one["attachments"]);
            let rows = files.len().max(1);
            let card = &one["props"]["attachments"][0]["text"];
            people.insert(text(&one["user"]));
            read += rows;
            // Posts are not compared with replies: none has the time and text of another.
            let what = (
                &one["user"],
                &one["create_at"],
                &one["message"],
                &files.first().unwrap_or(&Value::Null)["path"],
            );
            if text(&one["type"]).starts_with("system_") {
                notices += rows;
            } else if !known {
                elsewhere += rows;
            } else if files.is_empty() && text(&one["message"]).is_empty() && card.is_null() {
                empty += 1;
            } else if !seen.insert(format!("{wherever}{}{what:?}", nth > 0)) {
                twice += rows;
            }
        }
    }
    people.extend(direct.iter().flatten().cloned());

    let groups = direct.iter().filter(|members| members.len() != 2);
    let in_groups: usize = groups.clone().map(BTreeSet::len).sum();
    let mut joined: Vec<String> = Vec::new();
    for team in of("user").flat_map(|user| list(&user["teams"])) {
        let channels = list(&team["channels"]).iter();
        joined.extend(
            channels.map(|channel| format!("{}/{}", text(&team["name"]), text(&channel["name"]))),
        );
    }
    let gone = joined.iter().filter(|at| !channels.contains(*at)).count();
    let all = |count: usize| rows(&[("read", count), ("imported", count)]);
    BTreeMap::from([
        ("users".into(), all(people.len())),
        ("groups".into(), all(channels.len() + groups.count())),
        (
            "members".into(),
            rows(&[
                ("read", in_groups + joined.len()),
                ("imported", in_groups + joined.len() - gone),
                ("skipped: channel is not in the file", gone),
            ]),
        ),
        (
            "messages".into(),
            rows(&[
                ("read", read),
                ("imported", read - notices - elsewhere - empty - twice),
                ("skipped: notice", notices),
                ("skipped: channel is not in the file", elsewhere),
                ("skipped: nothing to show", empty),
                ("rejected: duplicate-id", twice),
            ]),
        ),
    ])
}

fn place(of: &Value, name: &str) -> String {
    format!("{}/{}", text(&of["team"]), text(&of[name]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
