//! The account on a page: what became, or would become, of every row.

use chatferry_core::{Account, FlowAccount, OutcomeKind};

use super::Html;
use super::chart::{Series, bar, legend};
use crate::Advice;
use crate::account::{TOLD, columns, total};

/// A number with its name, to be seen first.
pub(crate) fn tile(html: &mut Html, class: &'static str, number: &str, name: &str) {
    html.raw("<div class=\"tile ")
        .raw(class)
        .raw("\"><b>")
        .text(number)
        .raw("</b><span>")
        .text(name)
        .raw("</span></div>\n");
}

/// The parts of a flow's bar.
fn parts(flow: &FlowAccount) -> [(&'static str, u64); 4] {
    let at_destination = flow.count(OutcomeKind::Imported) + flow.count(OutcomeKind::Present);
    let lost = [
        OutcomeKind::Rejected,
        OutcomeKind::Refused,
        OutcomeKind::Blocked,
    ];
    [
        ("past", flow.settled_before),
        ("good", at_destination),
        ("skip", flow.count(OutcomeKind::Skipped)),
        ("bad", lost.into_iter().map(|kind| flow.count(kind)).sum()),
    ]
}

/// The table, and a bar for each flow.
pub(crate) fn account(html: &mut Html, account: &Account, imported: &'static str) {
    let total = total(account);
    let told = columns(&total, imported);
    html.raw("<div class=\"wide\"><table><thead><tr><th>flow</th>");
    for column in &told {
        html.raw("<th>").text(column.heading).raw("</th>");
    }
    html.raw("</tr></thead><tbody>\n");
    let cells = |html: &mut Html, flow: &FlowAccount| {
        html.raw("<tr><td>").name(&flow.flow).raw("</td>");
        for column in &told {
            let rows = (column.of)(flow);
            html.raw(if rows == 0 {
                "<td class=\"zero\">"
            } else {
                "<td>"
            })
            .count(rows)
            .raw("</td>");
        }
        html.raw("</tr>\n");
    };
    for flow in &account.flows {
        cells(html, flow);
    }
    html.raw("</tbody><tfoot>");
    cells(html, &total);
    html.raw("</tfoot></table></div>\n");
    let series: [Series; 4] = [
        ("past", "delivered earlier"),
        ("good", imported),
        ("skip", "skipped"),
        ("bad", "rejected, refused or blocked"),
    ];
    let in_total = parts(&total);
    let present: Vec<Series> = series
        .into_iter()
        .zip(in_total)
        .filter(|(_, (_, rows))| *rows > 0)
        .map(|(series, _)| series)
        .collect();
    html.raw("<div class=\"rows\" style=\"margin-top:1rem\">");
    for flow in account.flows.iter().filter(|flow| flow.read > 0) {
        labelled(html, &flow.flow, "", flow.read);
        bar(html, &parts(flow), flow.read);
    }
    html.raw("</div>\n");
    legend(html, &present);
}

/// Every reason, what more there is to say of it, and what to do.
pub(crate) fn reasons(
    html: &mut Html,
    account: &Account,
    advice: Advice,
    more: impl Fn(&mut Html, usize, OutcomeKind, &str),
) {
    if TOLD.into_iter().all(|kind| account.count(kind) == 0) {
        return;
    }
    html.section("What is left out, and why");
    for kind in TOLD {
        for (place, flow) in account.flows.iter().enumerate() {
            for ((_, reason), rows) in flow.outcomes.iter().filter(|((of, _), _)| *of == kind) {
                html.raw("<h3>")
                    .count(*rows)
                    .raw(" × ")
                    .name(reason)
                    .raw(" <span class=\"tag");
                html.raw(if kind == OutcomeKind::Skipped {
                    "\">"
                } else {
                    " lost\">"
                })
                .text(kind.name())
                .raw("</span> <span class=\"tag\">")
                .name(&flow.flow)
                .raw("</span></h3>\n");
                if let Some(advice) = advice(kind, reason) {
                    html.raw("<p class=\"remedy\">").text(advice).raw("</p>\n");
                }
                more(html, place, kind, reason);
            }
        }
    }
    html.end_section();
}

/// What stands before a bar: its name and its number.
pub(crate) fn labelled(html: &mut Html, name: &str, before: &'static str, number: u64) {
    html.raw("<span class=\"what\">")
        .name(name)
        .raw("</span><span class=\"number\">")
        .raw(before)
        .count(number)
        .raw("</span>");
}

/// A row that ended so, in a list.
pub(crate) fn example(html: &mut Html, id: Option<&str>, place: Option<&str>, detail: &str) {
    html.raw("<li>");
    if let Some(id) = id {
        html.name(id).raw(" ");
    }
    if let Some(place) = place {
        html.raw("<span class=\"note\">")
            .text(place)
            .raw("</span> ");
    }
    html.text(detail).raw("</li>");
}
