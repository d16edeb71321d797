//! What people call things, in English, German and Spanish.

/// Words behind which the number or name of a thing stands.
pub(crate) const IDS: [&str; 8] = ["id", "uuid", "guid", "uid", "pk", "key", "nr", "no"];
/// Words at the end of a column's name that say what kind of value it is, and not of what.
const KINDS: [&str; 13] = [
    "id", "uuid", "guid", "at", "on", "am", "el", "en", "ms", "utc", "ref", "no", "nr",
];
/// The same at the beginning.
const BEFORE: [&str; 5] = ["fk", "is", "has", "was", "f"];

pub(crate) const MESSAGE: &[&str] = &[
    "message",
    "msg",
    "post",
    "dm",
    "pm",
    "line",
    "nachricht",
    "mitteilung",
    "mensaje",
    "chatlog",
    "log",
    "entry",
    "history",
    "comment",
    "reply",
    "chat",
];
pub(crate) const PERSON: &[&str] = &[
    "user",
    "person",
    "people",
    "profile",
    "account",
    "contact",
    "customer",
    "employee",
    "player",
    "nick",
    "benutzer",
    "nutzer",
    "mitarbeiter",
    "usuario",
    "persona",
    "cuenta",
    "login",
    "author",
    "sender",
];
pub(crate) const ROOM: &[&str] = &[
    "room",
    "channel",
    "conversation",
    "convo",
    "group",
    "dialog",
    "dialogue",
    "thread",
    "space",
    "forum",
    "raum",
    "raeume",
    "kanal",
    "kanaele",
    "gruppe",
    "unterhaltung",
    "gespraech",
    "sala",
    "canal",
    "canales",
    "grupo",
    "conversacion",
    "conversaciones",
    "chat",
];
pub(crate) const MEMBER: &[&str] = &[
    "member",
    "membership",
    "participant",
    "participation",
    "subscription",
    "subscriber",
    "occupant",
    "mitglied",
    "mitgliedschaft",
    "teilnehmer",
    "teilnahme",
    "miembro",
    "participante",
];
pub(crate) const FILE: &[&str] = &[
    "attachment",
    "file",
    "upload",
    "media",
    "document",
    "asset",
    "anhang",
    "anhaenge",
    "datei",
    "adjunto",
    "archivo",
];
pub(crate) const REACTION: &[&str] = &[
    "reaction",
    "like",
    "emoji",
    "reaktion",
    "reaccion",
    "reacciones",
];

pub(crate) const BODY: &[&str] = &[
    "body",
    "text",
    "content",
    "message",
    "msg",
    "line",
    "inhalt",
    "nachricht",
    "texto",
    "contenido",
    "mensaje",
    "cuerpo",
    "comment",
    "said",
    "html",
    "plain",
];
pub(crate) const SENDER: &[&str] = &[
    "sender",
    "author",
    "from",
    "writer",
    "poster",
    "user",
    "from user",
    "sent by",
    "posted by",
    "created by",
    "creator",
    "absender",
    "verfasser",
    "autor",
    "remitente",
    "emisor",
    "benutzer",
    "nutzer",
    "usuario",
    "person",
    "account",
    "profile",
    "member",
    "nick",
    "nickname",
    "username",
    "owner",
    "who",
    "sender name",
    "uid",
];
pub(crate) const RECEIVER: &[&str] = &[
    "recipient",
    "receiver",
    "to",
    "to user",
    "target",
    "target user",
    "receiver user",
    "recipient user",
    "addressee",
    "other",
    "peer",
    "empfaenger",
    "an",
    "destinatario",
    "receptor",
    "para",
];
pub(crate) const IN_ROOM: &[&str] = &[
    "conversation",
    "room",
    "channel",
    "chat",
    "group",
    "dialog",
    "thread",
    "convo",
    "space",
    "chatroom",
    "raum",
    "kanal",
    "gruppe",
    "unterhaltung",
    "gespraech",
    "sala",
    "canal",
    "grupo",
    "conversacion",
];
pub(crate) const NAME: &[&str] = &[
    "display name",
    "full name",
    "real name",
    "name",
    "anzeigename",
    "nickname",
    "nick",
    "screen name",
    "username",
    "handle",
    "alias",
    "login",
    "benutzername",
    "nombre",
    "vorname",
    "title",
];
pub(crate) const FIRST: &[&str] = &["first name", "firstname", "given name", "vorname"];
pub(crate) const LAST: &[&str] = &[
    "last name",
    "lastname",
    "surname",
    "family name",
    "nachname",
    "apellido",
];
pub(crate) const TITLE: &[&str] = &[
    "display name",
    "name",
    "title",
    "subject",
    "label",
    "slug",
    "titel",
    "bezeichnung",
    "nombre",
    "titulo",
    "topic",
];
pub(crate) const SENT: &[&str] = &[
    "sent",
    "created",
    "create",
    "timestamp",
    "ts",
    "time",
    "date",
    "posted",
    "said",
    "datetime",
    "when",
    "gesendet",
    "erstellt",
    "zeit",
    "zeitpunkt",
    "datum",
    "enviado",
    "enviada",
    "creado",
    "creada",
    "fecha",
    "inserted",
    "added",
    "logged",
    "at",
];
pub(crate) const CREATED: &[&str] = &[
    "created",
    "create",
    "registered",
    "joined",
    "signup",
    "signed up",
    "date joined",
    "erstellt",
    "angelegt",
    "registriert",
    "creado",
    "creada",
    "alta",
    "inserted",
    "added",
    "since",
];
pub(crate) const EDITED: &[&str] = &["edited", "edit", "bearbeitet", "editado", "editada"];
pub(crate) const DELETED: &[&str] = &[
    "deleted",
    "removed",
    "deactivated",
    "disabled",
    "trashed",
    "geloescht",
    "deaktiviert",
    "eliminado",
    "eliminada",
    "borrado",
    "borrada",
    "delete",
];
pub(crate) const SEEN: &[&str] = &[
    "last seen",
    "last active",
    "last login",
    "last online",
    "last activity",
    "seen",
    "zuletzt gesehen",
    "zuletzt",
    "ultima conexion",
    "ultimo acceso",
    "lastlogin",
];
pub(crate) const PICTURE: &[&str] = &[
    "avatar",
    "avatar url",
    "picture",
    "photo",
    "image",
    "image url",
    "profile picture",
    "pic",
    "icon",
    "bild",
    "foto",
];
pub(crate) const SORT: &[&str] = &[
    "kind",
    "type",
    "category",
    "art",
    "typ",
    "tipo",
    "mode",
    "visibility",
    "privacy",
];
pub(crate) const PARENT: &[&str] = &[
    "parent",
    "reply to",
    "in reply to",
    "thread root",
    "root",
    "parent message",
    "replied to",
    "quoted",
    "antwort auf",
    "respuesta a",
    "thread",
];
pub(crate) const RANK: &[&str] = &[
    "role",
    "rank",
    "scope",
    "rolle",
    "rol",
    "permission",
    "admin",
];
pub(crate) const JOINED: &[&str] = &[
    "joined",
    "join",
    "created",
    "added",
    "since",
    "beigetreten",
    "unido",
    "desde",
];
pub(crate) const LEFT: &[&str] = &[
    "left",
    "leave",
    "removed",
    "deleted",
    "ausgetreten",
    "salido",
    "kicked",
];
pub(crate) const ROBOT: &[&str] = &["bot", "robot"];
pub(crate) const OWNER: &[&str] = &[
    "owner",
    "creator",
    "created by",
    "admin",
    "besitzer",
    "ersteller",
    "propietario",
    "creador",
];
pub(crate) const DIRECT: &[&str] = &[
    "direct",
    "dm",
    "private chat",
    "one to one",
    "im",
    "direkt",
    "directo",
];
pub(crate) const IS_GROUP: &[&str] = &["group", "group chat", "gruppe", "grupo", "public", "room"];
pub(crate) const HIDDEN: &[&str] = &["private", "closed", "secret", "privat", "privado"];
pub(crate) const URL: &[&str] = &[
    "url",
    "href",
    "link",
    "attachment url",
    "attachment",
    "file url",
    "file",
    "media url",
    "media",
    "image",
    "image url",
    "path",
    "src",
    "anhang",
    "datei",
    "adjunto",
    "archivo",
];
pub(crate) const FILE_NAME: &[&str] = &[
    "file name",
    "filename",
    "original name",
    "name",
    "title",
    "dateiname",
    "nombre",
];
pub(crate) const MEDIA_TYPE: &[&str] = &[
    "mime type",
    "mime",
    "mimetype",
    "content type",
    "media type",
];
pub(crate) const BYTES: &[&str] = &["size", "bytes", "file size", "length", "groesse", "tamano"];

/// Values that say that a conversation is between two.
pub(crate) const BETWEEN_TWO: [&str; 16] = [
    "dm",
    "direct",
    "im",
    "d",
    "p2p",
    "one_to_one",
    "one-to-one",
    "1:1",
    "1-1",
    "single",
    "personal",
    "direct_message",
    "direkt",
    "directo",
    "duo",
    "user",
];
/// The same, if nothing says so more plainly.
pub(crate) const MAYBE_BETWEEN_TWO: [&str; 3] = ["private", "privat", "privado"];
/// Values that say that anybody may join.
pub(crate) const FOR_ALL: [&str; 9] = [
    "public",
    "open",
    "o",
    "channel",
    "oeffentlich",
    "öffentlich",
    "publico",
    "público",
    "all",
];
/// Values that say that the application wrote a line by itself.
pub(crate) const BY_ITSELF: [&str; 18] = [
    "system",
    "event",
    "join",
    "leave",
    "joined",
    "left",
    "notice",
    "notification",
    "info",
    "status",
    "sys",
    "created",
    "renamed",
    "member_added",
    "member_removed",
    "sistema",
    "ereignis",
    "evento",
];

/// The words of a name: `fk_senderId` has `fk`, `sender` and `id`.
pub(crate) fn of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && was_small) {
            words.push(String::new());
        }
        was_small = letter.is_lowercase();
        if letter.is_alphanumeric() {
            let word = words.last_mut().expect("there is one from the start");
            word.push_str(&plain(letter));
        }
    }
    words.retain(|word| !word.is_empty());
    words.into_iter().flat_map(apart).collect()
}

/// A word without what was written on to it: `channelid` is `channel` and `id`.
fn apart(word: String) -> Vec<String> {
    const KNOWN: [&[&str]; 10] = [
        PERSON, ROOM, MESSAGE, MEMBER, SENDER, RECEIVER, SENT, CREATED, EDITED, DELETED,
    ];
    for end in ["id", "at"] {
        let Some(rest) = word.strip_suffix(end) else {
            continue;
        };
        let mut known = KNOWN.iter().copied().flatten();
        if rest.len() > 2 && known.any(|known| same(rest, known)) {
            return vec![rest.to_owned(), end.to_owned()];
        }
    }
    vec![word]
}

/// A letter in lower case and without what is above it.
fn plain(letter: char) -> String {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'ä' => "ae".into(),
        'ö' => "oe".into(),
        'ü' => "ue".into(),
        'ß' => "ss".into(),
        'á' => "a".into(),
        'é' => "e".into(),
        'í' => "i".into(),
        'ó' => "o".into(),
        'ú' => "u".into(),
        'ñ' => "n".into(),
        small => small.to_string(),
    }
}

/// Whether one word is the other, or its plural.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let plural = |long: &str, short: &str| {
        let ending = long.strip_prefix(short);
        ending.is_some_and(|ending| ["", "s", "es", "en", "n", "e", "r"].contains(&ending))
            || (short.ends_with('y') && long.strip_suffix("ies") == short.strip_suffix('y'))
    };
    plural(one, other) || plural(other, one)
}

/// Whether a word is that one, or ends with it, as German ones do.
pub(crate) fn is(word: &str, known: &str) -> bool {
    let ends = ["", "s", "es", "en", "n", "e"].iter().any(|ending| {
        let stem = word.strip_suffix(ending);
        known.len() > 3 && stem.is_some_and(|stem| stem.ends_with(known))
    });
    same(word, known) || ends
}

/// The words of a column's name that say of what its values are.
pub(crate) fn stem(words: &[String]) -> Vec<String> {
    let mut rest: Vec<&str> = words.iter().map(String::as_str).collect();
    while rest.len() > 1 && rest.last().is_some_and(|last| KINDS.contains(last)) {
        rest.pop();
    }
    while rest.len() > 1 && BEFORE.contains(&rest[0]) {
        rest.remove(0);
    }
    let extra = ["date", "time", "fecha", "datum", "ts", "timestamp"];
    if rest.len() > 1 && extra.contains(&rest[0]) {
        rest.remove(0);
    } else if rest.len() > 1 && rest.last().is_some_and(|last| extra.contains(last)) {
        rest.pop();
    }
    rest.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_words() {
        assert_eq!(of("fk_senderId"), ["fk", "sender", "id"]);
        assert_eq!(of("URLPath"), ["urlpath"]);
        assert_eq!(of("channelid"), ["channel", "id"]);
        assert_eq!(of("createat"), ["create", "at"]);
        assert_eq!(of("chat"), ["chat"]);
        assert_eq!(of("paid"), ["paid"]);
        assert_eq!(of("Räume"), ["raeume"]);
        assert_eq!(stem(&of("fk_senderId")), ["sender"]);
        assert_eq!(stem(&of("date_created")), ["created"]);
        assert_eq!(stem(&of("gesendet_am")), ["gesendet"]);
        assert_eq!(stem(&of("id")), ["id"]);
    }

    #[test]
    fn plurals_are_the_same_word() {
        for (one, other) in [
            ("messages", "message"),
            ("nachrichten", "nachricht"),
            ("replies", "reply"),
            ("usuarios", "usuario"),
        ] {
            assert!(same(one, other) && same(other, one), "{one}, {other}");
        }
        assert!(is("chatnachrichten", "nachricht") && is("chatroom", "room"));
        assert!(!same("member", "message") && !is("pie", "p"));
    }
}
