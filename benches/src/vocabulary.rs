//! What people are called and what they write.
//!
//! The words have no characters that JSON escapes; the marks between them sometimes do.

use crate::random::Random;

/// How long texts are, in characters: sixteen equally frequent ranges.
///
/// Roughly a log-normal distribution with a median of 80: many "ok", few essays.
const LENGTHS: [u64; 17] = [
    3, 14, 22, 30, 38, 46, 56, 67, 80, 95, 114, 138, 168, 213, 283, 430, 1_100,
];
/// One text in so many is ten times as long: a pasted log.
const LONG: u64 = 500;
/// Characters of a text at most: three bytes each are still less than the 10 KB that CometChat
/// takes.
const LONGEST: u64 = 2_800;

const FIRST: [&str; 24] = [
    "Noor", "Mateo", "Yuki", "Zoë", "Amara", "Łukasz", "Priya", "Jonas", "Chloé", "Kwame", "Sofía",
    "Minh", "Elif", "Oisín", "Leila", "Björn", "Ana", "Tomáš", "Ines", "Dmitri", "Mei", "Sam",
    "Fatima", "Jo",
];
const LAST: [&str; 24] = [
    "Haddad",
    "García",
    "Tanaka",
    "Nguyễn",
    "Okafor",
    "Nowak",
    "Sharma",
    "Müller",
    "Lefèvre",
    "Mensah",
    "Rossi",
    "Öztürk",
    "Murphy",
    "Karimi",
    "Lindström",
    "Silva",
    "Novák",
    "Costa",
    "Ivanov",
    "Chen",
    "Smith",
    "Khan",
    "Andersen",
    "O'Neill",
];
const PLAIN: [&str; 64] = [
    "the", "to", "and", "is", "it", "that", "you", "for", "we", "on", "this", "have", "can",
    "with", "not", "are", "be", "if", "but", "do", "just", "what", "so", "at", "I", "think", "yes",
    "no", "ok", "build", "release", "server", "tomorrow", "meeting", "works", "again", "please",
    "thanks", "check", "deploy", "branch", "review", "customer", "ticket", "fixed", "broken",
    "lunch", "question", "idea", "maybe", "sure", "when", "monday", "team", "design", "still",
    "waiting", "done", "looks", "good", "really", "weekend", "invoice", "update",
];
const ACCENTED: [&str; 32] = [
    "déjà",
    "façon",
    "très",
    "réunion",
    "où",
    "ça",
    "für",
    "schön",
    "grüße",
    "müssen",
    "mañana",
    "señor",
    "aquí",
    "también",
    "ação",
    "não",
    "amanhã",
    "światło",
    "dzień",
    "proszę",
    "žluť",
    "příště",
    "möte",
    "på",
    "også",
    "içinde",
    "güzel",
    "değil",
    "și",
    "când",
    "ő",
    "később",
];
const CJK: [&str; 24] = [
    "会議",
    "資料",
    "よろしく",
    "お疲れ様です",
    "明日",
    "了解",
    "ありがとう",
    "確認",
    "你好",
    "没问题",
    "谢谢",
    "明天见",
    "收到",
    "文件",
    "开会",
    "哈哈",
    "확인",
    "감사합니다",
    "내일",
    "회의",
    "네",
    "自分",
    "進捗",
    "時間",
];
/// Reactions and decoration; some are several code points, one is a whole family.
pub(crate) const EMOJI: [&str; 12] = [
    "👍",
    "😂",
    "🎉",
    "❤️",
    "🙏",
    "👀",
    "🚀",
    "😅",
    "🇧🇷",
    "👩‍💻",
    "👨‍👩‍👧‍👦",
    "✅",
];
/// What stands between words now and then.
const MARKS: [&str; 6] = [", ", ". ", "\n", " \"", "! ", " - "];
/// The same as JSON writes it.
const JSON_MARKS: [&str; 6] = [", ", ". ", "\\n", " \\\"", "! ", " - "];
/// Files that people send: the beginning of the name, its ending, and what kind of file it is.
pub(crate) const FILES: [(&str, &str, &str); 5] = [
    ("IMG", "jpg", "image/jpeg"),
    ("Screenshot", "png", "image/png"),
    ("video", "mp4", "video/mp4"),
    ("voice", "ogg", "audio/ogg"),
    ("Übersicht", "pdf", "application/pdf"),
];

/// A person's name.
pub(crate) fn name(random: &mut Random) -> (&'static str, &'static str) {
    (random.pick(&FIRST), random.pick(&LAST))
}

/// A word for the name of a room.
pub(crate) fn topic(random: &mut Random) -> &'static str {
    random.pick(&PLAIN[29..])
}

/// A text in the language of person `author`.
pub(crate) fn text(random: &mut Random, author: u64) -> String {
    let mut text = Vec::new();
    write(random, author, &MARKS, &mut text);
    String::from_utf8(text).expect("words are text")
}

/// Writes the same text as the inside of a JSON string.
pub(crate) fn json_text(random: &mut Random, author: u64, json: &mut Vec<u8>) {
    write(random, author, &JSON_MARKS, json);
}

fn write(random: &mut Random, author: u64, marks: &[&str], text: &mut Vec<u8>) {
    let words: &[&str] = match author % 10 {
        0..=6 => &PLAIN,
        7 | 8 => &ACCENTED,
        _ => &CJK,
    };
    let (mut left, mut first) = (length(random), true);
    while left > 0 {
        if !first {
            let between = if random.once_in(9) {
                random.pick(marks)
            } else {
                " "
            };
            text.extend_from_slice(between.as_bytes());
        }
        first = false;
        let word = random.pick(words);
        text.extend_from_slice(word.as_bytes());
        // Whoever writes in another language uses English words in between.
        let plain = random.pick(&PLAIN);
        text.push(b' ');
        text.extend_from_slice(plain.as_bytes());
        let characters = word.chars().count() + plain.len() + 2;
        left = left.saturating_sub(u64::try_from(characters).unwrap_or(u64::MAX));
    }
    if random.once_in(4) {
        text.push(b' ');
        text.extend_from_slice(random.pick(&EMOJI).as_bytes());
    }
}

fn length(random: &mut Random) -> u64 {
    let range = random.place(LENGTHS.len() - 1);
    let (least, most) = (LENGTHS[range], LENGTHS[range + 1]);
    let length = least + random.below(most - least);
    if random.once_in(LONG) {
        (length * 10).min(LONGEST)
    } else {
        length
    }
}
