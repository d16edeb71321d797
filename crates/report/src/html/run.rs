//! A run as a page.

use super::account::{account, example, reasons, tile};
use super::chart::columns;
use super::{Html, page};
use crate::run::Run;
use crate::words::{bytes, count, counted, duration};

impl Run<'_> {
    /// The run as a page of HTML that needs nothing else.
    #[must_use]
    pub fn as_html(&self) -> String {
        page(self.title, self.pipeline, self.now, |html| {
            self.tiles(html);
            if let Some(trouble) = self.trouble {
                html.raw("<p class=\"warning\">")
                    .text(trouble)
                    .raw("</p>\n");
            }
            html.section("What became of every row");
            account(html, &self.finished.account, "imported");
            html.end_section();
            reasons(
                html,
                &self.finished.account,
                self.advice,
                |html, place, kind, reason| {
                    let flow = &self.finished.account.flows[place].flow;
                    let of_it = self.examples.iter().filter(|it| {
                        (&it.flow, it.outcome, it.reason.as_str()) == (flow, kind, reason)
                    });
                    let mut of_it = of_it.peekable();
                    if of_it.peek().is_none() {
                        return;
                    }
                    html.raw("<ul>");
                    for it in of_it {
                        example(html, it.id.as_deref(), it.place.as_deref(), &it.detail);
                    }
                    html.raw("</ul>\n");
                },
            );
            self.requests(html);
        })
    }

    fn tiles(&self, html: &mut Html) {
        let Self { finished, .. } = self;
        let read: u64 = finished.account.flows.iter().map(|flow| flow.read).sum();
        let lost = finished.account.undelivered();
        let delivered = [
            chatferry_core::OutcomeKind::Imported,
            chatferry_core::OutcomeKind::Present,
        ];
        let delivered: u64 = delivered
            .into_iter()
            .map(|kind| finished.account.count(kind))
            .sum();
        html.raw("<div class=\"tiles\">\n");
        tile(html, "", &count(read), "rows read");
        tile(html, "", &count(delivered), "delivered");
        let class = if lost > 0 { "lost" } else { "" };
        tile(html, class, &count(lost), "rejected, refused or blocked");
        tile(html, "", &count(finished.requests.sent), "requests");
        tile(html, "", &duration(finished.took), "taken");
        if let Some((limit, time)) = self.for_real {
            let name = format!("for real, at {limit} requests a minute");
            tile(html, "", &duration(time), &name);
        }
        html.raw("</div>\n");
    }

    fn requests(&self, html: &mut Html) {
        let requests = &self.finished.requests;
        if requests.sent == 0 {
            return;
        }
        html.section("Requests").raw("<p class=\"note\">");
        let mut words = format!(
            "{} with {} and {}",
            counted(requests.sent, "request"),
            counted(requests.records, "record"),
            bytes(requests.bytes),
        );
        if requests.throttled > 0 {
            words.push_str(&format!("; {} throttled", count(requests.throttled)));
        }
        if requests.failed > 0 {
            let failed = count(requests.failed);
            words.push_str(&format!("; {failed} failed and were resolved or given up"));
        }
        let step = duration(self.pace.step());
        words.push_str(&format!(". Each column is {step}."));
        html.text(&words).raw("</p>\n");
        let mut after = std::time::Duration::ZERO;
        let mut bars = Vec::new();
        for requests in self.pace.requests() {
            bars.push((duration(after), vec![("good", *requests)]));
            after += self.pace.step();
        }
        columns(html, "Requests sent over time", &bars);
        html.end_section();
    }
}
