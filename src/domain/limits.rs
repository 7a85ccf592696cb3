//! The bounds of every input, in one place. Bytes unless the name says otherwise.

/// A message, in bytes of UTF-8.
pub const MESSAGE_BYTES: usize = 200_000;
/// A chat's title, in characters.
pub const TITLE_CHARS: usize = 120;
/// A person's name, in characters.
pub const NAME_CHARS: usize = 80;
/// An e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_BYTES: usize = 254;
/// The shortest password, in characters (code points).
pub const PASSWORD_MIN_CHARS: usize = 12;
/// The longest password, in bytes.
pub const PASSWORD_MAX_BYTES: usize = 1_024;
/// What a person calls a second factor, in characters.
pub const FACTOR_NAME_CHARS: usize = 60;
/// What a browser answers for a passkey, as JSON.
pub const CREDENTIAL_BYTES: usize = 64_000;
/// Second factors of one person.
pub const FACTORS_PER_USER: usize = 20;
/// A search text, in characters.
pub const SEARCH_CHARS: usize = 200;
/// A request body that is not a form of its own.
pub const BODY_BYTES: usize = 1_000_000;
/// The form with a picture.
pub const PICTURE_BYTES: usize = 6_000_000;
/// Rows in one page of chats.
pub const CHATS_PER_PAGE: u32 = 50;
/// Chats that one action may change at once.
pub const CHATS_PER_ACTION: usize = 200;
/// Messages in one window of a chat.
pub const MESSAGES_PER_WINDOW: u32 = 40;
/// Answers of one person that are being written or wait for their turn; further messages are refused. How many are written
/// at once is configured (`answers_per_person`).
pub const OPEN_RUNS_PER_PERSON: i64 = 200;
/// Answers that one process writes at once; further ones wait for their turn.
pub const RUNS_PER_PROCESS: usize = 2_000;
/// Streams that one person may hold open at once, over all tabs.
pub const STREAMS_PER_USER: usize = 32;
/// People that one invitation may bring in.
pub const INVITATION_USES: u32 = 1_000;
/// Rows in one page of people.
pub const PEOPLE_PER_PAGE: u32 = 50;
/// Days for which an invitation may hold.
pub const INVITATION_DAYS: u32 = 90;
/// Jobs that the page of jobs lists.
pub const JOBS_SHOWN: u32 = 200;
