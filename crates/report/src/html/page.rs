//! What every page has: its head, its style, its title and its foot.

use chrono::{DateTime, Utc};

use super::Html;
use crate::words::moment;

/// Light and dark, narrow and wide, on a screen and on paper.
pub const STYLE: &str = include_str!("style.css");

/// A page of that title about a pipeline, made at that time.
pub(crate) fn page(
    title: &str,
    pipeline: &str,
    now: DateTime<Utc>,
    body: impl FnOnce(&mut Html),
) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        // Whatever may be wrong with the escaping: nothing runs, and nothing is fetched.
        .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ")
        .raw("style-src 'unsafe-inline'\">\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
        .text(title)
        .raw(": ")
        .text(pipeline)
        .raw("</title>\n<style>\n")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n<header><h1>")
        .text(title)
        .raw(" <span class=\"of\">")
        .name(pipeline)
        .raw("</span></h1>\n<p class=\"when\">")
        .text(&moment(now))
        .raw(", chatferry ")
        .raw(env!("CARGO_PKG_VERSION"))
        .raw("</p></header>\n<main>\n");
    body(&mut html);
    html.raw("</main>\n</body>\n</html>\n");
    html.finish()
}
