//! Mistakes as a person sees them: underlined, each with what would be right.

use chatferry_core::Mistake;

/// One mistake with the file in which it stands.
#[derive(Debug)]
pub struct Report {
    mistake: Mistake,
}

/// All mistakes of a file for the terminal, in the order of the file.
#[must_use]
pub fn render(
    _file: &str,
    _text: &str,
    mistakes: &[Mistake],
    _width: usize,
    _color: bool,
    _unicode: bool,
) -> String {
    mistakes
        .iter()
        .map(|mistake| {
            Report {
                mistake: mistake.clone(),
            }
            .mistake
            .message
                + "\n"
        })
        .collect()
}
