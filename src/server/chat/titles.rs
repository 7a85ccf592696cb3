//! The job that has a model write the title of a chat after its first answer.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, future::BoxFuture};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Chats;
use crate::{
    domain::{Author, Failure, JobKind, MessageId, limits, parse_title},
    server::{
        config::Titles,
        fault::Fault,
        jobs::{Handler, Outcome, Policy, Run},
        llm::{Delta, FinishReason, Model, ModelError, Models, Prompt, Turn},
        markdown,
        store::UntitledChat,
    },
};

/// How long the model may take for a title.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Seconds until the model is asked again after it failed.
const RETRY_DELAY_SECONDS: i64 = 30;
/// Seconds after the answer in which the model is asked again. Later nobody waits for a title.
const RETRY_PERIOD_SECONDS: i64 = 120;
/// The maximum number of characters of the question, and of the answer, that the model reads.
const MAX_EXCERPT_CHARS: usize = 1_000;
/// The maximum number of characters of a title.
const MAX_TITLE_CHARS: usize = 60;
/// The maximum sizes of what the model writes, in bytes. A longer text is no title. The limits are kept here, by ending
/// the request, because no parameter for them is accepted by all providers, and because those count the reasoning too.
const MAX_TEXT_BYTES: usize = 2_000;
const MAX_REASONING_BYTES: usize = 16_000;

const INSTRUCTIONS: &str = "You write titles for conversations. Reply with the title only.";
const REQUEST: &str = "Write a title of 3 to 6 words for the conversation below, in the language of the conversation. No \
                       quotation marks, no formatting, no full stop at the end.";

/// The words before a colon that are not part of a title.
const LABELS: [&str; 6] = ["title", "chat title", "conversation title", "titel", "titre", "título"];
const QUOTATION_MARKS: [char; 11] = ['"', '“', '”', '„', '«', '»', '「', '」', '『', '』', '`'];
const SINGLE_QUOTATION_MARKS: [char; 4] = ['\'', '‘', '’', '‚'];

/// The handler of the jobs that write titles. The subject of a job is the first answer of a chat.
pub struct WriteTitle(pub Chats);

impl Handler for WriteTitle {
    fn policy(&self) -> Policy {
        Policy { timeout: 4 * TIMEOUT, ..Policy::new(JobKind::WriteTitle) }
    }

    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        self.0.write_title(run).boxed()
    }
}

impl Chats {
    /// Whether this model writes the titles of the chats whose first answer it has written.
    pub(super) fn writes_titles(&self, model: &str) -> bool {
        match self.0.titles {
            Titles::FirstWords => false,
            Titles::Model => !Models::is_local(model),
            Titles::AnyModel => true,
        }
    }

    async fn write_title(&self, run: &Run) -> Result<Outcome, Fault> {
        let Some((chat, model, prompt)) = self.prepare_title(run).await? else { return Ok(Outcome::Done) };
        let title = match request_title(model, prompt).await {
            Ok(Some(title)) => title,
            Ok(None) => return Ok(Outcome::Done),
            Err(error) => {
                let (now, chat) = (self.0.clock.now(), chat.id);
                if now < run.created_at().plus_seconds(RETRY_PERIOD_SECONDS) {
                    return Ok(Outcome::NotYet(now.plus_seconds(RETRY_DELAY_SECONDS)));
                }
                tracing::debug!(%chat, %error, "a chat keeps its automatic title, because the model failed");
                return Ok(Outcome::Done);
            }
        };
        let mut tx = self.0.store.write().await?;
        // If another instance has taken the job over, it writes the title.
        if run.finish(&mut tx).await? {
            tx.owned_by(chat.owner_id).replace_automatic_title(chat.id, &chat.title, &title).await?;
            tx.commit().await?;
        }
        Ok(Outcome::Done)
    }

    /// The chat of a job, the model that wrote its first answer, and what to ask it. `None` if there is nothing to do,
    /// because the chat was renamed or deleted, or its model is gone or not to be asked any more.
    async fn prepare_title(&self, run: &Run) -> Result<Option<(UntitledChat, Arc<dyn Model>, Prompt)>, Fault> {
        let mut tx = self.0.store.read().await?;
        let Some(chat) = tx.engine().find_untitled_chat(run.subject()).await? else { return Ok(None) };
        let mut own = tx.owned_by(chat.owner_id);
        let Some(answer) = own.find_message(chat.id, MessageId::from_uuid(run.subject())).await? else {
            return Ok(None);
        };
        let Some(parent) = answer.parent_id else { return Ok(None) };
        let Some(question) = own.find_message(chat.id, parent).await? else { return Ok(None) };
        drop(tx);
        // Never another model: the text must not reach a provider that the person has not chosen.
        let Some(id) = answer.model.as_deref().filter(|id| self.writes_titles(id)) else { return Ok(None) };
        let Some((model, _)) = self.0.models.find(id).await else { return Ok(None) };
        Ok(Some((chat, model, title_prompt(&question.text(), &answer.text()))))
    }
}

fn title_prompt(question: &str, answer: &str) -> Prompt {
    let text = format!(
        "{REQUEST}\n\n<question>\n{}\n</question>\n\n<answer>\n{}\n</answer>",
        excerpt(question),
        excerpt(answer)
    );
    Prompt { system: INSTRUCTIONS.to_owned(), turns: vec![Turn { author: Author::User, text }], answer_so_far: None }
}

fn excerpt(text: &str) -> &str {
    let text = text.trim();
    text.char_indices().nth(MAX_EXCERPT_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// Asks the model. `None` if it writes something that is not a title.
async fn request_title(model: Arc<dyn Model>, prompt: Prompt) -> Result<Option<String>, ModelError> {
    let title = timeout(TIMEOUT, read_title(model, prompt)).await;
    title.unwrap_or_else(|_| Err(ModelError::new(Failure::TimedOut, "the model took too long to write a title")))
}

async fn read_title(model: Arc<dyn Model>, prompt: Prompt) -> Result<Option<String>, ModelError> {
    // Ending the stream ends the request.
    let mut deltas = model.answer(prompt, CancellationToken::new());
    let (mut text, mut reasoning_bytes) = (String::new(), 0);
    while let Some(delta) = deltas.next().await {
        let delta = match delta {
            Ok(delta) => delta,
            Err(error) if has_answered(error.failure) => return Ok(None),
            Err(error) => return Err(error),
        };
        match delta {
            Delta::Text(chunk) => text.push_str(&chunk),
            Delta::Reasoning(chunk) => reasoning_bytes += chunk.len(),
            Delta::TextWasReasoning => text.clear(),
            Delta::End(FinishReason::Stop) => return Ok(clean_title(&text)),
            Delta::End(_) => return Ok(None),
            Delta::Queued(_) | Delta::Loading | Delta::TruncatedMessages(_) | Delta::Usage(_) => {}
        }
        if text.len() > MAX_TEXT_BYTES || reasoning_bytes > MAX_REASONING_BYTES {
            return Ok(None);
        }
    }
    Err(ModelError::new(Failure::Cut, "the model's stream ended without a finish reason"))
}

/// Whether the model has answered, and would not answer better if it were asked again.
const fn has_answered(failure: Failure) -> bool {
    matches!(
        failure,
        Failure::Empty
            | Failure::OnlyThoughts
            | Failure::LengthLimit
            | Failure::Withheld
            | Failure::ToolCall
            | Failure::Overlong
    )
}

/// The title in what the model wrote: its first line that is not an introduction, as plain text. `None` if there is no
/// line that can be one.
fn clean_title(reply: &str) -> Option<String> {
    let lines = reply.lines().filter(|line| !line.trim_start().starts_with("```")).map(markdown::preview);
    let lines: Vec<String> = lines.filter(|line| line.chars().any(char::is_alphanumeric)).collect();
    let line = lines.iter().find(|line| !line.ends_with(':')).or(lines.first())?;
    let line = without_full_stop(without_quotation_marks(without_full_stop(without_label(line))));
    if line.chars().count() > limits::MAX_TITLE_CHARS {
        return None;
    }
    parse_title(&shorten(line)).ok()
}

fn without_label(line: &str) -> &str {
    let Some((label, rest)) = line.split_once([':', '：']) else { return line };
    let is_label = rest.trim().is_empty() || LABELS.contains(&label.trim().to_lowercase().as_str());
    if !is_label {
        line
    } else if rest.trim().is_empty() {
        label.trim()
    } else {
        rest.trim()
    }
}

/// Without a pair of quotation marks around all of it. Marks around single words stay.
fn without_quotation_marks(line: &str) -> &str {
    let without = |marks: &[char]| {
        let inner = line.strip_prefix(marks)?.strip_suffix(marks)?;
        (!inner.contains(QUOTATION_MARKS)).then(|| inner.trim())
    };
    without(&QUOTATION_MARKS).or_else(|| without(&SINGLE_QUOTATION_MARKS)).unwrap_or(line)
}

fn without_full_stop(line: &str) -> &str {
    line.strip_suffix(['.', '。']).filter(|rest| !rest.ends_with('.')).unwrap_or(line).trim_end()
}

/// At most [`MAX_TITLE_CHARS`] characters, ended at a word if possible.
fn shorten(line: &str) -> String {
    if line.chars().count() <= MAX_TITLE_CHARS {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MAX_TITLE_CHARS - 1).collect();
    let end = cut.rfind(' ').filter(|end| *end > cut.len() / 2).unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([' ', ',', ';', ':', '-', '–']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_plain_line() {
        for (reply, title) in [
            ("Sourdough for beginners", "Sourdough for beginners"),
            ("\n\n  Sourdough for beginners.\n\nI hope that helps!", "Sourdough for beginners"),
            ("\"Sourdough for beginners\"", "Sourdough for beginners"),
            ("“Sourdough for beginners.”", "Sourdough for beginners"),
            ("„Sauerteig für Anfänger“", "Sauerteig für Anfänger"),
            ("'Sourdough for beginners'", "Sourdough for beginners"),
            ("# Sourdough for beginners", "Sourdough for beginners"),
            ("**Sourdough** for `beginners`", "Sourdough for beginners"),
            ("Title: Sourdough for beginners", "Sourdough for beginners"),
            ("**Titel:** Sauerteig für Anfänger", "Sauerteig für Anfänger"),
            ("Here is a title:\n\n**Sourdough for beginners**", "Sourdough for beginners"),
            ("```\nSourdough for beginners\n```", "Sourdough for beginners"),
            ("Sourdough: the first loaf", "Sourdough: the first loaf"),
            ("The word \"starter\" explained", "The word \"starter\" explained"),
            ("\"Starter\" and \"levain\"", "\"Starter\" and \"levain\""),
            ("Waiting for the dough...", "Waiting for the dough..."),
            ("سلام دنیا", "سلام دنیا"),
            ("初めてのサワードウ。", "初めてのサワードウ"),
        ] {
            assert_eq!(clean_title(reply).as_deref(), Some(title), "{reply:?}");
        }
    }

    #[test]
    fn what_is_not_a_title_is_not_used() {
        let sentences = "I am sorry, but I cannot write a title for it. ".repeat(4);
        for reply in ["", "   \n", "...", "---", "```\n```", &sentences] {
            assert_eq!(clean_title(reply), None, "{reply:?}");
        }
    }

    #[test]
    fn a_long_title_ends_at_a_word() {
        let title = clean_title(&"sourdough ".repeat(8)).expect("a title");
        assert_eq!(title, "sourdough sourdough sourdough sourdough sourdough…");
        let title = clean_title(&"ä".repeat(90)).expect("a title");
        assert_eq!(title.chars().count(), MAX_TITLE_CHARS);
    }

    #[test]
    fn the_model_reads_only_the_beginnings() {
        let prompt = title_prompt(&"ä".repeat(5_000), &"ö".repeat(5_000));
        let text = &prompt.turns[0].text;
        assert_eq!((text.matches('ä').count(), text.matches('ö').count()), (MAX_EXCERPT_CHARS, MAX_EXCERPT_CHARS));
    }
}
