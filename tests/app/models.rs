//! Models: endpoints over real HTTP, the model in its own process, the list of all.

use std::time::Duration;

use colloquy::{
    domain::{Author, Failure},
    server::llm::{Delta, Deltas, Finish, Prompt, Turn, Usage},
};
use futures::StreamExt;

mod bodies;
mod catalogue;
mod connect;
mod files;
mod habits;
mod local;
mod openai;

/// A prompt of one message.
fn prompt(text: &str) -> Prompt {
    Prompt { system: "Be brief.".to_owned(), turns: vec![turn(Author::User, text)], answer_so_far: None }
}

fn turn(author: Author, text: &str) -> Turn {
    Turn { author, text: text.to_owned() }
}

/// All that came of an answer.
#[derive(Debug, Default, PartialEq)]
struct Told {
    text: String,
    reasoning: String,
    queued: Vec<u32>,
    loading: bool,
    left_out: Option<u32>,
    usage: Option<Usage>,
    end: Option<Result<Finish, Failure>>,
    /// The log's side of the fault.
    detail: String,
}

impl Told {
    fn take(&mut self, item: Result<Delta, colloquy::server::llm::ModelError>) {
        assert_eq!(self.end, None, "something came after the end: {item:?}");
        match item {
            Ok(Delta::Text(text)) => self.text.push_str(&text),
            Ok(Delta::Reasoning(text)) => self.reasoning.push_str(&text),
            Ok(Delta::Queued(place)) => self.queued.push(place),
            Ok(Delta::Loading) => self.loading = true,
            Ok(Delta::LeftOut(count)) => self.left_out = Some(count),
            Ok(Delta::TextWasReasoning) => self.reasoning.push_str(&std::mem::take(&mut self.text)),
            Ok(Delta::Usage(usage)) => self.usage = Some(usage),
            Ok(Delta::End(finish)) => self.end = Some(Ok(finish)),
            Err(fault) => (self.end, self.detail) = (Some(Err(fault.failure)), fault.detail),
        }
    }
}

/// Reads an answer to its end, which has to come in 60 seconds.
async fn told(mut deltas: Deltas) -> Told {
    let mut told = Told::default();
    let reading = async {
        while let Some(item) = deltas.next().await {
            told.take(item);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect("the answer ends");
    told
}

/// Waits until `condition` holds, at most 5 seconds.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in 5 seconds: {what}");
}
