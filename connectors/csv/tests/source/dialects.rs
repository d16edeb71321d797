//! How fields and records are told apart, and in which characters.

use encoding_rs::{UTF_16BE, UTF_16LE};

use crate::workshop::{file, titled};

#[tokio::test]
async fn records_end_with_any_line_break() {
    let lines = ["id,text", "1,a", "2,\"b\"", "3,"];
    let of = |by: &str| lines.join(by) + by;
    insta::assert_snapshot!(titled(vec![
        ("LF", file(of("\n"), "").await),
        ("CRLF", file(of("\r\n"), "").await),
        ("CR", file(of("\r"), "").await),
        ("none at the end", file(lines.join("\n"), "").await),
        (
            "empty lines",
            file(format!("\n\n{}\n\n", of("\r\n\r\n")), "").await
        ),
    ]));
}

#[tokio::test]
async fn quotes_hold_anything() {
    let text = "id,text\n1,\"a,b\"\n2,\"line\nand \"\"more\"\"\r\n\"\n3,\"\"\n4,\n5,in \"the\" middle\n6,\"\"\"\"\n";
    insta::assert_snapshot!(file(text, "").await);
}

#[tokio::test]
async fn every_character_with_a_meaning_can_be_another() {
    insta::assert_snapshot!(titled(vec![
        (
            "semicolons and apostrophes",
            file("id;text\n1;'a;b'\n2;'it''s'\n", "delimiter = \";\"\nquote = \"'\"").await
        ),
        (
            "no quotes",
            file("id,text\n1,\"a\n2,'b'\n", "quote = \"none\"").await
        ),
        (
            "backslashes within quotes",
            file(r#"id,text
1,"a \"b\" \\ c"
2,"ends with \\"
3,"x""y"
"#, r#"escape = "\\""#).await
        ),
        (
            "backslashes without quotes, as MySQL writes them",
            file(
                "1\ta\\\tb\\\nc\n2\t\\N\n3\tback\\\\slash\n4\ttab\\tin\n",
                "delimiter = \"\\t\"\nquote = \"none\"\nescape = \"\\\\\"\nescape_letters = true\nheader = false\nnulls = [\"\\\\N\"]"
            )
            .await
        ),
        (
            "backslashes and letters, as PostgreSQL writes them",
            file(
                "1\ta\\tb\\nc\n2\t\\N\n3\t\n",
                "delimiter = \"\\t\"\nquote = \"none\"\nescape = \"\\\\\"\nescape_letters = true\ncolumns = [\"id\", \"text\"]\nheader = false\nnulls = [\"\\\\N\"]"
            )
            .await
        ),
        (
            "comments",
            file("# made today\nid,text\n#1,a\n2,#b\n# the end", "comment = \"#\"").await
        ),
        (
            "blanks around fields",
            file("id , text\n1,\t a b  \n2, \"  c \" \n   \n3,\n", "trim = true").await
        ),
        (
            "blanks that are kept",
            file("id, text\n1, a \n", "").await
        ),
    ]));
}

#[tokio::test]
async fn null_is_told_from_empty_text() {
    insta::assert_snapshot!(titled(vec![
        (
            "nothing, and nothing between quotes",
            file("id,text\n1,\n2,\"\"\n3,a\n", "").await
        ),
        (
            "words",
            file(
                "id,text\n1,NULL\n2,\"NULL\"\n3,\n4,n/a\n",
                "nulls = [\"NULL\", \"n/a\"]"
            )
            .await
        ),
        (
            "numbers in quotes, some of them missing",
            file("id,score\n1,\"5\"\n2,\"\"\n", "").await
        ),
    ]));
}

#[tokio::test]
async fn names_of_columns_are_made_where_there_are_none() {
    insta::assert_snapshot!(titled(vec![
        ("no header", file("1,a\n2,b\n", "header = false").await),
        (
            "given",
            file("1,a\n2,b\n", "header = false\ncolumns = [\"id\", \"text\"]").await
        ),
        (
            "given, and others in the file",
            file("x,y\n1,a\n", "columns = [\"id\", \"text\"]").await
        ),
        (
            "the same name twice, and none",
            file("id,id,,id_2,id\n1,2,3,4,5\n", "").await
        ),
        (
            "with line breaks and commas",
            file("\"id, or\nso\",\"te\"\"xt\"\n1,a\n", "").await
        ),
        (
            "too few",
            file("id,text\n1,a\n", "columns = [\"id\"]").await
        ),
    ]));
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[tokio::test]
async fn files_are_read_in_their_encoding() {
    let text = "id,text\n1,Grüße 👋\n2,\"日本\n語\"\n";
    let marked = format!("\u{feff}{text}");
    let western: Vec<u8> = [
        b"id,text\n1,Gr\xfc\xdfe \x80\n".as_slice(),
        b"2,\x93x\x94\n",
    ]
    .concat();
    assert_eq!((UTF_16LE.name(), UTF_16BE.name()), ("UTF-16LE", "UTF-16BE"));
    insta::assert_snapshot!(titled(vec![
        ("UTF-8", file(text, "").await),
        ("UTF-8 with a mark", file(&marked, "").await),
        (
            "UTF-16, little-endian, by its mark",
            file(utf16(&marked, u16::to_le_bytes), "").await
        ),
        (
            "UTF-16, big-endian, by its mark",
            file(utf16(&marked, u16::to_be_bytes), "").await
        ),
        (
            "UTF-16, declared",
            file(utf16(text, u16::to_le_bytes), "encoding = \"utf-16le\"").await
        ),
        (
            "UTF-16, declared as the other and marked",
            file(utf16(&marked, u16::to_be_bytes), "encoding = \"utf-16\"").await
        ),
        (
            "UTF-8 with a mark, declared as another",
            file(&marked, "encoding = \"windows-1252\"").await
        ),
        (
            "Windows-1252",
            file(&western, "encoding = \"windows-1252\"").await
        ),
        ("Latin-1", file(&western, "encoding = \"latin1\"").await),
        (
            "Shift JIS",
            file(b"id,text\n1,\x93\xfa\x96\x7b\n", "encoding = \"shift_jis\"").await
        ),
    ]));
}
