//! The named queries, and whether they can be built from one another.

use chatferry_core::{Mistake, Span, View};

use crate::node::Context;
use crate::pipeline::named;
use crate::section::Section;
use crate::suggest::{self, quoted};
use crate::tables;

/// The views of the file that could be read, and the names of all.
pub(crate) fn views<'a>(root: &mut Section<'a>, sources: &[&str]) -> (Vec<View>, Vec<&'a str>) {
    let entries = root
        .section("views")
        .map_or_else(Vec::new, |mut views| views.entries());
    let names = entries.iter().map(|(name, ..)| *name).collect();
    let mut views = Vec::new();
    for (name, at, node) in entries {
        let fits = named(&node, "view", name, at.clone());
        if fits && sources.contains(&name) {
            node.mistake(
                Mistake::error(
                    "pipeline::name",
                    format!("{} is a source and a view", quoted(name)),
                    at.clone(),
                )
                .label("the name of a source")
                .help("give the view another name"),
            );
        }
        if let Some(query) = node.sql() {
            views.push(View {
                name: name.to_owned(),
                at,
                query,
            });
        }
    }
    circles(root.context(), &views);
    (views, names)
}

/// Which view reads which, and the place where it says so.
type Edge = (usize, Option<Span>);

/// Notes each circle of views once.
fn circles(context: &Context<'_>, views: &[View]) {
    let edges: Vec<Vec<Edge>> = views.iter().map(|view| edges(view, views)).collect();
    let mut done = vec![false; views.len()];
    for start in 0..views.len() {
        if done[start] {
            continue;
        }
        if let Some(circle) = circle(start, &edges, &done) {
            note(context, views, &circle);
            for (view, _) in &circle {
                done[*view] = true;
            }
        }
        done[start] = true;
    }
}

fn edges(view: &View, views: &[View]) -> Vec<Edge> {
    let place = |word: Span| match &view.query.at {
        Some(at) if view.query.verbatim => Some(at.start + word.start..at.start + word.end),
        at => at.clone(),
    };
    tables::read_by(&view.query.text)
        .into_iter()
        .filter_map(|(name, word)| {
            let read = views.iter().position(|view| view.name == name)?;
            Some((read, place(word)))
        })
        .collect()
}

/// The shortest way from a view back to it: each step is a view, and where it reads the next one.
fn circle(start: usize, edges: &[Vec<Edge>], done: &[bool]) -> Option<Vec<Edge>> {
    let mut reached_from: Vec<Option<Edge>> = vec![None; edges.len()];
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(view) = open.pop_front() {
        for (read, at) in &edges[view] {
            if *read == start {
                let mut circle = vec![(view, at.clone())];
                let mut step = view;
                while step != start {
                    let (before, at) = reached_from[step].clone().expect("every step was reached");
                    circle.push((before, at));
                    step = before;
                }
                circle.reverse();
                return Some(circle);
            }
            if !done[*read] && reached_from[*read].is_none() {
                reached_from[*read] = Some((view, at.clone()));
                open.push_back(*read);
            }
        }
    }
    None
}

fn note(context: &Context<'_>, views: &[View], circle: &[Edge]) {
    let name = |step: usize| quoted(&views[circle[step % circle.len()].0].name);
    let at = circle[0].1.clone();
    if circle.len() == 1 {
        context.note(
            Mistake::error(
                "pipeline::circle",
                format!("the view {} reads itself", name(0)),
                at,
            )
            .label("the view that this is")
            .help("write `source.table` for a table of a source, or give the view another name"),
        );
        return;
    }
    let names: Vec<&str> = circle
        .iter()
        .map(|(view, _)| views[*view].name.as_str())
        .collect();
    let steps: Vec<String> = circle
        .iter()
        .enumerate()
        .map(|(step, (_, at))| {
            let line = at.as_ref().map_or_else(String::new, |at| {
                format!(" in line {}", context.line(at.start))
            });
            format!("{} reads {}{line}", name(step), name(step + 1))
        })
        .collect();
    context.note(
        Mistake::error(
            "pipeline::circle",
            format!(
                "the views {} read each other in a circle",
                suggest::list(&names)
            ),
            at,
        )
        .label("here the circle begins")
        .help(format!("{}; one of them must go without", steps.join(", "))),
    );
}
