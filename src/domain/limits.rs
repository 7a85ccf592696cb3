//! Limits of inputs, page sizes and concurrency.

/// The length of a message, in bytes of UTF-8.
pub const MAX_MESSAGE_BYTES: usize = 200_000;
/// The length of a chat title, in characters.
pub const MAX_TITLE_CHARS: usize = 120;
/// The length of a display name, in characters.
pub const MAX_NAME_CHARS: usize = 80;
/// The length of an e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;
/// The minimum length of a password, in characters (code points).
pub const MIN_PASSWORD_CHARS: usize = 12;
/// The maximum length of a password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1_024;
/// The length of the name of a second factor, in characters.
pub const MAX_FACTOR_NAME_CHARS: usize = 60;
/// The size of a browser's WebAuthn response as JSON, in bytes.
pub const MAX_CREDENTIAL_BYTES: usize = 64_000;
/// Second factors per user.
pub const MAX_FACTORS_PER_USER: usize = 20;
/// The length of a search text, in characters.
pub const MAX_SEARCH_CHARS: usize = 200;
/// The size of a request body, except for picture uploads, in bytes.
pub const MAX_BODY_BYTES: usize = 1_000_000;
/// The size of a form with a picture, in bytes.
pub const MAX_PICTURE_BYTES: usize = 6_000_000;
/// Chats per page of a list.
pub const CHATS_PER_PAGE: u32 = 50;
/// Chats that one request may change.
pub const MAX_CHATS_PER_ACTION: usize = 200;
/// Messages per window of a chat.
pub const MESSAGES_PER_WINDOW: u32 = 40;
/// Open runs per user, queued or running; further messages are rejected. The number of running ones is limited by the
/// setting `answers_per_person`.
pub const MAX_OPEN_RUNS_PER_USER: i64 = 200;
/// Concurrent runs per process; further ones stay queued.
pub const MAX_RUNS_PER_PROCESS: usize = 2_000;
/// Concurrent event streams per user, over all tabs.
pub const MAX_STREAMS_PER_USER: usize = 32;
/// Uses of one invitation.
pub const MAX_INVITATION_USES: u32 = 1_000;
/// Users per page of the list of users.
pub const PEOPLE_PER_PAGE: u32 = 50;
/// The validity of an invitation, in days.
pub const MAX_INVITATION_DAYS: u32 = 90;
/// Jobs in the list of jobs.
pub const MAX_LISTED_JOBS: u32 = 200;
