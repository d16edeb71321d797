//! How something comes along that counts its steps: on a terminal as a line that is redrawn,
//! elsewhere as plain lines now and then. Runs have more to show: see `watch`.

use std::time::{Duration, Instant};

use chatferry_core::Entity;
use chatferry_runtime::Watcher;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::account::count;
use crate::screen;
use crate::terminal::Terminal;

/// How often a plain line is written.
const PERIOD: Duration = Duration::from_secs(10);
/// How often a live line is redrawn.
const FRAME: Duration = Duration::from_millis(100);

/// Says something above the lines that are redrawn.
#[derive(Debug)]
pub struct Voice {
    live: Option<MultiProgress>,
    terminal: Terminal,
}

impl Voice {
    /// A voice above these lines, if there are any.
    pub(crate) const fn new(live: Option<MultiProgress>, terminal: Terminal) -> Self {
        Self { live, terminal }
    }

    /// Says it, unless it should be quiet.
    pub fn say(&self, text: &str) {
        match &self.live {
            Some(live) => drop(live.println(text)),
            None => self.terminal.say(text),
        }
    }
}

/// Shows how something comes along that counts its steps.
#[derive(Debug)]
pub struct Steps {
    live: Option<(MultiProgress, ProgressBar)>,
    terminal: Terminal,
    drawn: Instant,
    latest_trouble: Option<String>,
}

impl Steps {
    /// Shows it there.
    #[must_use]
    pub fn new(terminal: &Terminal) -> Self {
        let live = terminal.is_live().then(|| {
            let all = MultiProgress::with_draw_target(screen::target());
            let bar = all.add(ProgressBar::no_length());
            bar.set_style(
                ProgressStyle::with_template("{wide_msg}").expect("the template is sound"),
            );
            (all, bar)
        });
        Self {
            live,
            terminal: *terminal,
            drawn: Instant::now(),
            latest_trouble: None,
        }
    }

    /// A way to say something while the line is redrawn.
    #[must_use]
    pub fn voice(&self) -> Voice {
        Voice {
            live: self.live.as_ref().map(|(all, _)| all.clone()),
            terminal: self.terminal,
        }
    }

    /// Shows a line, unless another one was shown just now.
    pub fn show(&mut self, text: &dyn Fn() -> String) {
        let pause = if self.live.is_some() { FRAME } else { PERIOD };
        if self.drawn.elapsed() < pause {
            return;
        }
        self.drawn = Instant::now();
        match &self.live {
            Some((_, bar)) => bar.set_message(text()),
            None => self.terminal.say(&text()),
        }
    }

    /// Takes the live line away, so that the result can follow.
    pub fn finish(&mut self) {
        if let Some((all, bar)) = &self.live {
            bar.finish_and_clear();
            // A terminal that cannot be written to is about to be noticed by whoever writes next.
            let _ = all.clear();
        }
    }
}

impl Watcher for Steps {
    fn doing(&mut self, what: &'static str, entity: Entity, done: u64, of: Option<u64>) {
        self.show(&|| match of {
            Some(of) => format!(
                "{what} {entity}: {} of {}",
                count(done),
                count(of.max(done))
            ),
            None => format!("{what} {entity}: {}", count(done)),
        });
    }

    fn trouble(&mut self, what: &str) {
        if self.latest_trouble.as_deref() != Some(what) {
            self.latest_trouble = Some(what.to_owned());
            self.voice()
                .say(&format!("trouble: {what}; dealing with it"));
        }
    }
}
