//! Builds prompts: named sections, and the messages on the path to the answer, read from the newest one back.

use std::collections::BTreeMap;

use super::live::AnswerTimes;
use crate::{
    domain::Author,
    server::{
        fault::Fault,
        llm::{Prompt, Turn, estimate_tokens},
        store::{ClaimedRun, MessageRow, Store},
    },
};

/// The instructions for every model.
const INSTRUCTIONS: &str = "You are a helpful assistant.";
/// The maximum number of messages that are read. No supported model has room for more.
const MAX_MESSAGES: u32 = 500;
/// The estimated tokens of each section of a prompt, by section name.
pub(super) type SectionTokens = BTreeMap<&'static str, u32>;

/// The maximum size of messages that are read, in bytes.
const MAX_BYTES: usize = 2_000_000;

/// A part of the system prompt. Memories and passages of documents will become further sections.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    /// The name, for the statistics about prompts.
    name: &'static str,
    text: String,
}

/// A prompt, and the content that the answer already has.
pub(super) struct AssembledPrompt {
    pub prompt: Prompt,
    /// The estimated tokens of each section.
    pub sections: SectionTokens,
    pub text: String,
    pub reasoning: String,
    /// How long that took.
    pub times: AnswerTimes,
    /// The number of older messages that were not read from the database.
    pub truncated_messages: u32,
}

pub(super) async fn assemble(store: &Store, run: &ClaimedRun) -> Result<AssembledPrompt, Fault> {
    let mut tx = store.read().await?;
    let mut own = tx.owned_by(run.owner_id);
    let answer = own
        .find_message(run.chat_id, run.message_id)
        .await?
        .ok_or_else(|| Fault::internal("the answer of a run is gone, or its chat was deleted"))?;
    let before = match answer.parent_id {
        Some(parent) => own.list_path(run.chat_id, parent, MAX_MESSAGES).await?,
        None => Vec::new(),
    };
    drop(tx);
    let (turns, used) = to_turns(before);
    let truncated_messages = u32::try_from(answer.depth).unwrap_or(u32::MAX).saturating_sub(used);
    let (text, reasoning, times) = match run.continues {
        true => (answer.text().into_owned(), answer.reasoning().into_owned(), AnswerTimes::from(&answer)),
        false => Default::default(),
    };
    let answer_so_far = (!text.is_empty()).then(|| text.clone());
    let sections = [Section { name: "instructions", text: INSTRUCTIONS.to_owned() }];
    let prompt = Prompt { system: join_sections(&sections), turns, answer_so_far };
    Ok(AssembledPrompt { sections: count_tokens(&sections), prompt, text, reasoning, times, truncated_messages })
}

/// Joins the sections to the system prompt.
fn join_sections(sections: &[Section]) -> String {
    sections.iter().map(|section| section.text.as_str()).collect::<Vec<_>>().join("\n\n")
}

fn count_tokens(sections: &[Section]) -> SectionTokens {
    sections.iter().map(|section| (section.name, estimate_tokens(&section.text))).collect()
}

/// Converts rows, newest first, to a conversation, oldest first, and counts the rows used. Skips answers without text.
/// Consecutive turns of one author are not merged here: a message that is too long for the model must not drag the
/// short one after it along.
fn to_turns(rows: Vec<MessageRow>) -> (Vec<Turn>, u32) {
    let (mut used, mut bytes) = (0, 0);
    let mut turns = Vec::new();
    for row in rows {
        let text = row.text().into_owned();
        bytes += text.len();
        if bytes > MAX_BYTES && used > 0 {
            break;
        }
        used += 1;
        if !text.trim().is_empty() {
            let author = if row.author == "user" { Author::User } else { Author::Assistant };
            turns.push(Turn { author, text });
        }
    }
    turns.reverse();
    (turns, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_consists_of_named_sections_with_token_counts() {
        let section = |name, text: &str| Section { name, text: text.to_owned() };
        let sections = [section("instructions", "Be brief."), section("memory", &"x".repeat(70))];
        assert_eq!(join_sections(&sections), format!("Be brief.\n\n{}", "x".repeat(70)));
        assert_eq!(count_tokens(&sections), SectionTokens::from([("instructions", 3), ("memory", 20)]));
    }
}
