//! Models: providers over real HTTP, the embedded model in its own process, and the list of models.

use std::time::Duration;

use colloquy::{
    domain::{Author, Failure},
    server::llm::{Delta, DeltaStream, FinishReason, Prompt, Turn, Usage},
};
use futures::StreamExt;

use crate::support::app::each_db;

mod anthropic;
mod bodies;
mod catalogue;
mod connect;
mod files;
mod gemini;
mod local;
mod native;
mod ollama;
mod openai;
mod provider_quirks;

/// A prompt with one message.
fn prompt(text: &str) -> Prompt {
    Prompt { system: "Be brief.".to_owned(), turns: vec![turn(Author::User, text)], answer_so_far: None }
}

fn turn(author: Author, text: &str) -> Turn {
    Turn { author, text: text.to_owned() }
}

/// The collected deltas of an answer.
#[derive(Debug, Default, PartialEq)]
struct CollectedAnswer {
    text: String,
    reasoning: String,
    queued: Vec<u32>,
    loading: bool,
    truncated_messages: Option<u32>,
    usage: Option<Usage>,
    end: Option<Result<FinishReason, Failure>>,
    /// The error's detail for the log.
    detail: String,
}

impl CollectedAnswer {
    fn apply(&mut self, item: Result<Delta, colloquy::server::llm::ModelError>) {
        assert_eq!(self.end, None, "something came after the end: {item:?}");
        match item {
            Ok(Delta::Text(text)) => self.text.push_str(&text),
            Ok(Delta::Reasoning(text)) => self.reasoning.push_str(&text),
            Ok(Delta::Queued(place)) => self.queued.push(place),
            Ok(Delta::Loading) => self.loading = true,
            Ok(Delta::TruncatedMessages(count)) => self.truncated_messages = Some(count),
            Ok(Delta::TextWasReasoning) => self.reasoning.push_str(&std::mem::take(&mut self.text)),
            Ok(Delta::Usage(usage)) => self.usage = Some(usage),
            Ok(Delta::End(finish)) => self.end = Some(Ok(finish)),
            Err(fault) => (self.end, self.detail) = (Some(Err(fault.failure)), fault.detail),
        }
    }
}

/// Reads an answer to its end, at most 60 seconds.
async fn collect(mut deltas: DeltaStream) -> CollectedAnswer {
    let mut answer = CollectedAnswer::default();
    let reading = async {
        while let Some(item) = deltas.next().await {
            answer.apply(item);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect("the answer ends");
    answer
}

each_db! {
    async fn administrators_see_what_is_connected(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        let mut bob = app.person("bob@example.org", "Bob").await;
        let page = ada.get("/models").await;
        assert_eq!(page.status, 200);
        let folder = app.state.config.local.models.display().to_string();
        for words in ["scripted", folder.as_str(), "[[providers]]", "COLLOQUY_PROVIDERS__HOSTED__KEY"] {
            assert!(page.text().contains(words), "{words}: {}", page.text());
        }
        assert!(ada.get("/sessions").await.text().contains("\"/models\""));
        assert_eq!(bob.get("/models").await.status, 404);
        assert!(!bob.get("/sessions").await.text().contains("\"/models\""));
    }
}
