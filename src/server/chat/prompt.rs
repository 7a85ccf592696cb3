//! What a model is asked: named sections, and the messages on the path to the answer, from the newest one back.

use std::collections::BTreeMap;

use crate::{
    domain::Author,
    server::{
        fault::Fault,
        llm::{Prompt, Turn, estimate_tokens},
        store::{Claimed, MessageRow, Store},
    },
};

/// The instructions that every model gets.
const INSTRUCTIONS: &str = "You are a helpful assistant.";
/// Messages read back at most. A model with room for more does not exist here.
const MESSAGES: u32 = 500;
/// The tokens of each section of a prompt, by its name.
pub(super) type SectionTokens = BTreeMap<&'static str, u32>;

/// Bytes read back at most.
const BYTES: usize = 2_000_000;

/// A part of what a model is told before the conversation. Recalled memories and passages of documents will be further ones.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    /// What it is, for whoever looks at what a prompt was made of.
    name: &'static str,
    text: String,
}

/// A prompt, and what the answer has already.
pub(super) struct Assembled {
    pub prompt: Prompt,
    /// About how many tokens each section takes.
    pub sections: SectionTokens,
    pub text: String,
    pub reasoning: String,
    /// Older messages that were not even read back.
    pub left_out: u32,
}

pub(super) async fn assemble(store: &Store, run: &Claimed) -> Result<Assembled, Fault> {
    let mut tx = store.read().await?;
    let mut own = tx.owned_by(run.owner_id);
    let answer = own
        .find_message(run.chat_id, run.message_id)
        .await?
        .ok_or_else(|| Fault::internal("the answer of a run is gone, or its chat was deleted"))?;
    let before = match answer.parent_id {
        Some(parent) => own.list_path(run.chat_id, parent, MESSAGES).await?,
        None => Vec::new(),
    };
    drop(tx);
    let (turns, read) = turns(before);
    let left_out = u32::try_from(answer.depth).unwrap_or(u32::MAX).saturating_sub(read);
    let (text, reasoning) =
        if run.continues { (answer.text().into_owned(), answer.reasoning().into_owned()) } else { Default::default() };
    let answer_so_far = (!text.is_empty()).then(|| text.clone());
    let sections = [Section { name: "instructions", text: INSTRUCTIONS.to_owned() }];
    let prompt = Prompt { system: join(&sections), turns, answer_so_far };
    Ok(Assembled { sections: count_tokens(&sections), prompt, text, reasoning, left_out })
}

/// The sections as one text.
fn join(sections: &[Section]) -> String {
    sections.iter().map(|section| section.text.as_str()).collect::<Vec<_>>().join("\n\n")
}

fn count_tokens(sections: &[Section]) -> SectionTokens {
    sections.iter().map(|section| (section.name, estimate_tokens(&section.text))).collect()
}

/// Turns rows, newest first, into a conversation, oldest first. Answers without a word are passed over. Neighbours
/// of one author stay apart until it is known what fits: a message that is too long for the model must not take the
/// short one after it along.
fn turns(rows: Vec<MessageRow>) -> (Vec<Turn>, u32) {
    let (mut read, mut bytes) = (0, 0);
    let mut turns = Vec::new();
    for row in rows {
        let text = row.text().into_owned();
        bytes += text.len();
        if bytes > BYTES && read > 0 {
            break;
        }
        read += 1;
        if !text.trim().is_empty() {
            let author = if row.author == "user" { Author::User } else { Author::Assistant };
            turns.push(Turn { author, text });
        }
    }
    turns.reverse();
    (turns, read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_made_of_named_sections_and_says_what_each_takes() {
        let section = |name, text: &str| Section { name, text: text.to_owned() };
        let sections = [section("instructions", "Be brief."), section("memory", &"x".repeat(70))];
        assert_eq!(join(&sections), format!("Be brief.\n\n{}", "x".repeat(70)));
        assert_eq!(count_tokens(&sections), SectionTokens::from([("instructions", 3), ("memory", 20)]));
    }
}
