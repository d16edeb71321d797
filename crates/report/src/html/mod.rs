//! A plan or a run as one page of HTML that needs nothing else: no network, no scripts.
//!
//! It is written by hand rather than through a template engine: a page has a dozen shapes, and
//! here the compiler sees to it that nothing gets into it but markup of ours (`Html::raw` takes
//! only what stands in this program), numbers, and text that is escaped.

mod account;
mod chart;
mod page;
mod plan;
mod run;

pub use page::STYLE;
pub(crate) use page::page;

use crate::words::{count, plain};

/// HTML in the making.
#[derive(Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    /// Adds markup of ours.
    pub(crate) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a text, whatever is in it.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        for c in plain(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Adds a name or an id: its direction does not change what stands around it.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.raw("<bdi>").text(name).raw("</bdi>")
    }

    /// Adds a number with separators.
    pub(crate) fn count(&mut self, number: u64) -> &mut Self {
        self.text(&count(number))
    }

    /// Adds a length or a position in a drawing.
    pub(crate) fn length(&mut self, length: f64) -> &mut Self {
        self.text(&format!("{length:.2}"))
    }

    /// Adds a title of a section, and begins it.
    pub(crate) fn section(&mut self, title: &str) -> &mut Self {
        self.raw("<section><h2>").text(title).raw("</h2>\n")
    }

    /// Ends a section.
    pub(crate) fn end_section(&mut self) -> &mut Self {
        self.raw("</section>\n")
    }

    /// The whole of it.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in "[<>&\"'a-z/=\u{0}-\u{1f}\u{202e}]{0,60}") {
            let mut html = Html::default();
            html.text(&text);
            let html = html.finish();
            prop_assert!(!html.contains(['<', '>', '"', '\'']));
            let is_hidden = |c: char| c.is_control() || c == '\u{202e}';
            prop_assert!(!html.contains(is_hidden));
            for (at, _) in html.match_indices('&') {
                let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
                prop_assert!(known.iter().any(|it| html[at..].starts_with(it)));
            }
        }
    }
}
