//! Decompression bombs do no harm.

use std::io::{Read, Write};

use chatferry_files::Limits;

use crate::workshop::{PACKERS, Workshop, gz, tar, zip, zst};

/// So many zeros, compressed.
fn zeros(pack: fn(&[u8]) -> Vec<u8>, mebibytes: usize) -> Vec<u8> {
    pack(&vec![0; mebibytes << 20])
}

#[test]
fn a_bomb_is_stopped_by_its_ratio() {
    let limits = Limits {
        max_ratio: 200,
        ..Limits::default()
    };
    let workshop = Workshop::with("bomb.gz", zeros(gz, 66));
    let mut shown = workshop.shown_within(".", "bomb.gz", limits);
    let plenty = Limits {
        max_ratio: 1 << 30,
        ..limits
    };
    assert_eq!(
        workshop.shown_within(".", "bomb.gz", plenty),
        format!("bomb.gz: {} bytes\n", 66 << 20)
    );
    let bomb = vec![0; 66 << 20];
    let workshop = Workshop::with("bomb.zip", zip(&[("a.json", &bomb)]));
    shown.push_str(&workshop.shown_within("bomb.zip", "*", limits));
    let workshop = Workshop::with("bomb.tar.zst", zst(&tar(&[("a.json", &bomb)])));
    shown.push_str(&workshop.shown_within("bomb.tar.zst", "*", limits));
    insta::assert_snapshot!(shown);
}

#[test]
fn a_bomb_is_stopped_by_its_size() {
    let limits = Limits {
        max_unpacked: 1 << 20,
        ..Limits::default()
    };
    let mut shown = String::new();
    for (ending, pack) in PACKERS {
        let (bomb, fine) = (format!("bomb.{ending}"), format!("fine.{ending}"));
        let workshop = Workshop::with(&bomb, zeros(pack, 2));
        workshop.write(&fine, zeros(pack, 1));
        shown.push_str(&workshop.shown_within(".", &bomb, limits));
        shown.push_str(&workshop.shown_within(".", &fine, limits));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_zip_whose_members_share_their_bytes_is_refused() {
    let contents = zip(&[("a.json", &[b'x'; 1000]), ("b.json", &[b'x'; 1000])]);
    // The second member of the directory is told to begin a byte behind the first.
    let mut overlapping = contents.clone();
    let directory: Vec<usize> = (0..contents.len() - 4)
        .filter(|at| &contents[*at..*at + 4] == b"PK\x01\x02")
        .collect();
    overlapping[directory[1] + 42..directory[1] + 46].copy_from_slice(&1_u32.to_le_bytes());
    let workshop = Workshop::with("a.zip", overlapping);
    insta::assert_snapshot!(workshop.shown("a.zip", "*"));
}

#[test]
fn a_window_that_takes_too_much_memory_is_refused() {
    // A window of two gibibytes, as `zstd --ultra --long=31` makes.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(31).unwrap();
    let zeros = std::io::repeat(0).take(1 << 20);
    std::io::copy(&mut { zeros }, &mut encoder).unwrap();
    encoder.flush().unwrap();
    let workshop = Workshop::with("a.zst", encoder.finish().unwrap());
    insta::assert_snapshot!(workshop.shown(".", "a.zst"));
}
