//! The end of a record that is too long to be held.

use crate::dialect::Dialect;

/// Goes through a record byte by byte, and keeps none of them.
pub(crate) struct Skip {
    dialect: Dialect,
    state: State,
    /// Line breaks within it so far.
    pub(crate) breaks: u64,
    after_return: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    Comment,
    Field,
    Bare,
    BareEscape,
    Quoted,
    QuotedEscape,
    /// Behind a quote that may close the field or be the first of two.
    Quote,
    Closed,
    Stray,
    /// Behind a carriage return that ends the record.
    Return,
}

impl Skip {
    /// At the beginning of a record.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            state: State::Begin,
            breaks: 0,
            after_return: false,
        }
    }

    /// Behind the end of the record in these bytes, which follow those before; `None` when it goes
    /// on behind them.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.state == State::Return {
                return Some(at + usize::from(*byte == b'\n'));
            }
            self.state = match self.next(*byte) {
                Some(state) => state,
                None => {
                    self.breaks += 1;
                    return Some(at + 1);
                }
            };
            if *byte == b'\r' || (*byte == b'\n' && !self.after_return) {
                self.breaks += 1;
            }
            self.after_return = *byte == b'\r';
        }
        None
    }

    /// The state behind a byte; `None` behind the end of the record.
    fn next(&self, byte: u8) -> Option<State> {
        let Dialect {
            delimiter,
            quote,
            escape,
            comment,
            trim,
            ..
        } = self.dialect;
        let blank = trim && matches!(byte, b' ' | b'\t') && byte != delimiter;
        let is_escape = escape == Some(byte);
        let ends = |state| match byte {
            b'\n' => None,
            b'\r' => Some(State::Return),
            byte if byte == delimiter => Some(State::Field),
            _ => Some(state),
        };
        match self.state {
            State::Begin if comment == Some(byte) => Some(State::Comment),
            State::Comment => match byte {
                b'\n' => None,
                b'\r' => Some(State::Return),
                _ => Some(State::Comment),
            },
            State::Begin | State::Field if quote == Some(byte) => Some(State::Quoted),
            State::Begin | State::Field if blank => Some(State::Field),
            State::Begin | State::Field | State::Bare if is_escape => Some(State::BareEscape),
            State::Begin | State::Field | State::Bare => ends(State::Bare),
            State::BareEscape => Some(State::Bare),
            State::Quoted if quote == Some(byte) => Some(State::Quote),
            State::Quoted if is_escape => Some(State::QuotedEscape),
            State::Quoted | State::QuotedEscape => Some(State::Quoted),
            State::Quote if quote == Some(byte) => Some(State::Quoted),
            State::Quote | State::Closed if blank => Some(State::Closed),
            State::Quote | State::Closed | State::Stray => ends(State::Stray),
            State::Return => Some(State::Return),
        }
    }
}
