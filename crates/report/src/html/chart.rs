//! Charts as inline SVG.

use super::Html;

/// One kind of thing in a chart: its class of colour, and what it is.
pub(crate) type Series = (&'static str, &'static str);

/// What a chart's colours stand for.
pub(crate) fn legend(html: &mut Html, series: &[Series]) {
    html.raw("<ul class=\"legend\">");
    for (class, name) in series {
        html.raw("<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect width=\"10\" height=\"10\" rx=\"2\" class=\"")
            .raw(class)
            .raw("\"/></svg>")
            .text(name)
            .raw("</li>");
    }
    html.raw("</ul>\n");
}

/// Numbers that stand for lengths need no more than the digits of a screen.
#[expect(clippy::cast_precision_loss, reason = "lengths in a drawing")]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / of.max(1) as f64
}

/// One bar that lies, made of parts after each other, of which all that there is would fill it.
pub(crate) fn bar(html: &mut Html, parts: &[(&'static str, u64)], of: u64) {
    html.raw("<svg viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let mut from = 0.0;
    for (class, part) in parts.iter().filter(|(_, part)| *part > 0) {
        let width = 100.0 * share(*part, of);
        html.raw("<rect y=\"0\" height=\"4\" x=\"")
            .length(from)
            .raw("\" width=\"")
            .length(width.max(0.3))
            .raw("\" class=\"")
            .raw(class)
            .raw("\"/>");
        from += width;
    }
    html.raw("</svg>");
}

/// Columns that stand next to each other, each with its name and its parts from the bottom up.
pub(crate) fn columns(
    html: &mut Html,
    label: &str,
    columns: &[(String, Vec<(&'static str, u64)>)],
) {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 160.0;
    const LEFT: f64 = 64.0;
    const TOP: f64 = 12.0;
    let sum = |parts: &[(&str, u64)]| parts.iter().map(|(_, part)| part).sum::<u64>();
    let most = columns.iter().map(|(_, parts)| sum(parts)).max();
    let Some(most) = most.filter(|most| *most > 0) else {
        return;
    };
    html.raw("<div class=\"wide chart\"><svg viewBox=\"0 0 720 200\" role=\"img\" aria-label=\"")
        .text(label)
        .raw("\">");
    for (part, of) in [(0_u64, 1_u64), (1, 2), (1, 1)] {
        let y = TOP + HEIGHT * (1.0 - share(part, of));
        html.raw("<line x1=\"64\" x2=\"720\" y1=\"")
            .length(y)
            .raw("\" y2=\"")
            .length(y)
            .raw("\"/><text x=\"58\" text-anchor=\"end\" y=\"")
            .length(y + 4.0)
            .raw("\">")
            .count(most * part / of)
            .raw("</text>");
    }
    let each = (WIDTH - LEFT) / columns.iter().map(|_| 1.0).sum::<f64>();
    // As many names as fit below.
    let every = (52.0 / each).ceil().max(1.0);
    let (mut x, mut until_name) = (LEFT, 0.0);
    for (name, parts) in columns {
        let mut y = TOP + HEIGHT;
        for (class, part) in parts.iter().filter(|(_, part)| *part > 0) {
            let height = HEIGHT * share(*part, most);
            y -= height;
            html.raw("<rect x=\"")
                .length(x + each * 0.1)
                .raw("\" width=\"")
                .length(each * 0.8)
                .raw("\" y=\"")
                .length(y)
                .raw("\" height=\"")
                .length(height.max(0.5))
                .raw("\" class=\"")
                .raw(class)
                .raw("\"><title>")
                .text(name)
                .raw(": ")
                .count(*part)
                .raw("</title></rect>");
        }
        if until_name <= 0.0 {
            html.raw("<text text-anchor=\"middle\" y=\"190\" x=\"")
                .length(x + each / 2.0)
                .raw("\">")
                .text(name)
                .raw("</text>");
            until_name = every;
        }
        until_name -= 1.0;
        x += each;
    }
    html.raw("</svg></div>\n");
}
