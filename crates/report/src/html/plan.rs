//! A plan as a page.

use chatferry_core::Entity;
use chatferry_runtime::plan::Most;

use super::account::{account, example, labelled, reasons, tile};
use super::chart::{Series, bar, columns, legend};
use super::{Html, page};
use crate::plan::Plan;
use crate::words::{bytes, count, counted, duration, moment};

impl Plan<'_> {
    /// The plan as a page of HTML that needs nothing else.
    #[must_use]
    pub fn as_html(&self) -> String {
        page("Plan", self.pipeline, self.now, |html| {
            self.tiles(html);
            for warning in self.warnings() {
                html.raw("<p class=\"warning\">")
                    .text(&warning)
                    .raw("</p>\n");
            }
            html.section("What would become of every row");
            account(html, &self.forecast.account, "to import");
            html.end_section();
            reasons(
                html,
                &self.forecast.account,
                self.advice,
                |html, place, kind, reason| {
                    let examples = self.examples(place, kind, reason);
                    if examples.is_empty() {
                        return;
                    }
                    html.raw("<ul>");
                    for it in examples {
                        let place = it.place.as_ref().map(ToString::to_string);
                        example(html, it.id.as_deref(), place.as_deref(), &it.detail);
                    }
                    html.raw("</ul>\n");
                },
            );
            let forecast = self.forecast;
            most(
                html,
                "Referred to, and delivered by no flow",
                &forecast.unknown,
            );
            most(html, "Not delivered, and so blocking", &forecast.blocking);
            most(html, "Ids that come more than once", &forecast.duplicates);
            self.alike_on_page(html);
            self.months_on_page(html);
            most(html, "Largest conversations", &forecast.conversations);
            self.needs_on_page(html);
        })
    }

    fn tiles(&self, html: &mut Html) {
        let forecast = self.forecast;
        let read: u64 = forecast.account.flows.iter().map(|flow| flow.read).sum();
        let lost = forecast.account.undelivered();
        html.raw("<div class=\"tiles\">\n");
        tile(html, "", &count(read), "rows read");
        tile(html, "", &count(forecast.records()), "records to import");
        tile(
            html,
            if lost > 0 { "lost" } else { "" },
            &count(lost),
            "rejected, refused or blocked",
        );
        tile(html, "", &count(forecast.requests()), "requests");
        if let Some(time) = forecast.time() {
            tile(
                html,
                "",
                &duration(time),
                "at least, at the pace that is set",
            );
        }
        html.raw("</div>\n");
    }

    fn alike_on_page(&self, html: &mut Html) {
        let collisions = &self.forecast.collisions;
        if collisions.count == 0 {
            return;
        }
        html.section("Ids that differ from another one in capitals alone")
            .raw("<p>")
            .text(&counted(collisions.count, "id"))
            .raw(", such as</p><ul>");
        for (entity, id) in &collisions.examples {
            html.raw("<li>")
                .text(entity.singular())
                .raw(" ")
                .name(id)
                .raw("</li>");
        }
        html.raw("</ul>\n").end_section();
    }

    fn months_on_page(&self, html: &mut Html) {
        const SERIES: [Series; 2] = [("past", "delivered earlier"), ("good", "to import")];
        let periods = self.periods();
        if periods.is_empty() {
            return;
        }
        let title = match periods[0].name.len() {
            4 => "Messages by year",
            _ => "Messages by month",
        };
        html.section(title);
        let bars: Vec<_> = periods
            .iter()
            .map(|period| {
                let parts = vec![
                    (SERIES[0].0, period.messages.earlier),
                    (SERIES[1].0, period.messages.due),
                ];
                (period.name.clone(), parts)
            })
            .collect();
        columns(html, title, &bars);
        if periods.iter().any(|period| period.messages.earlier > 0) {
            legend(html, &SERIES);
        }
        if let Some(oldest) = self.oldest {
            html.raw("<p class=\"note\">Messages sent before ")
                .text(&moment(oldest))
                .raw(" are older than <code>retention</code> allows: ")
                .count(self.too_old())
                .raw(" skipped.</p>\n");
        }
        html.end_section();
    }

    fn needs_on_page(&self, html: &mut Html) {
        let forecast = self.forecast;
        html.section("What it takes");
        html.raw("<div class=\"wide\"><table><thead><tr><th>entity</th><th>records</th>")
            .raw("<th>requests</th><th>size</th></tr></thead><tbody>\n");
        for entity in Entity::ALL {
            if let Some(need) = forecast.needs.get(&entity) {
                html.raw("<tr><td>")
                    .text(entity.name())
                    .raw("</td><td>")
                    .count(need.records)
                    .raw("</td><td>")
                    .count(need.requests)
                    .raw("</td><td>")
                    .text(&bytes(need.bytes))
                    .raw("</td></tr>\n");
            }
        }
        html.raw("</tbody></table></div>\n<p class=\"note\">");
        match (
            forecast.delivery.requests_per_minute,
            forecast.time(),
            self.ends(),
        ) {
            (Some(limit), Some(time), Some(ends)) => {
                html.text(&format!(
                    "At {limit} requests a minute it takes {} at least. Started when this was made, it \
                     ends at {}.",
                    duration(time),
                    moment(ends),
                ));
            }
            _ => {
                html.raw("No limit is set: requests are sent as fast as they are answered.");
            }
        }
        html.raw("</p>\n").end_section();
    }
}

/// What comes most often, as bars.
fn most(html: &mut Html, title: &str, most: &Most) {
    let Some(first) = most.top.first() else {
        return;
    };
    html.section(title).raw("<div class=\"rows\">");
    for it in &most.top {
        let before = if it.unseen > 0 { "at least " } else { "" };
        labelled(html, &it.name, before, it.count);
        bar(html, &[("good", it.count)], first.count);
    }
    html.raw("</div>\n");
    if most.different > most.top.len() as u64 {
        html.raw("<p class=\"note\">of ")
            .raw(if most.exact { "" } else { "more than " })
            .count(most.different)
            .raw("</p>\n");
    }
    html.end_section();
}
