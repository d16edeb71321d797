//! What kind of file something is, told by its name.

use super::{Definition, map_text, one_text, text};

pub(super) const MIME_TYPE: Definition = Definition {
    name: "mime_type",
    usage: "mime_type(file_name)",
    about: "The media type that a file's name tells; application/octet-stream where it tells none.",
    example: ("mime_type('cat.PNG')", "image/png"),
    takes: one_text,
    gives: text,
    call: |columns| {
        map_text(columns, |name| {
            Ok(mime_guess::from_path(name)
                .first_or_octet_stream()
                .essence_str()
                .to_owned())
        })
    },
};

pub(super) const MESSAGE_TYPE: Definition = Definition {
    name: "message_type",
    usage: "message_type(mime_type)",
    about: "The type of message that carries a file of this media type: image, audio, video or \
            file.",
    example: ("message_type('image/png')", "image"),
    takes: one_text,
    gives: text,
    call: |columns| {
        map_text(columns, |mime| {
            let family = mime.split('/').next().unwrap_or_default();
            let family = ["image", "audio", "video"]
                .into_iter()
                .find(|known| *known == family);
            Ok(family.unwrap_or("file"))
        })
    },
};

pub(super) const FILE_EXTENSION: Definition = Definition {
    name: "file_extension",
    usage: "file_extension(file_name)",
    about: "What stands after the last dot of a file's name, in lower case; bin where there is \
            nothing.",
    example: ("file_extension('cat.PNG')", "png"),
    takes: one_text,
    gives: text,
    call: |columns| {
        map_text(columns, |name| {
            let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
            Ok(match name.rsplit_once('.') {
                Some((before, after)) if !before.is_empty() && !after.is_empty() => {
                    after.to_lowercase()
                }
                _ => "bin".to_owned(),
            })
        })
    },
};
