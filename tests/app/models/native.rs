//! What the tests of all native interfaces share: recorded answers, replayed over HTTP, also in pieces and with faults.

use std::{fs, path::Path, sync::Arc};

use colloquy::{
    domain::Failure,
    server::llm::{FinishReason, Model},
};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{CollectedAnswer, collect, openai::KEY, prompt};
use crate::support::replay::{Received, Recording, Replay};

/// An error that a provider has sent.
#[derive(Deserialize)]
pub struct RecordedError {
    pub status: u16,
    pub body: Value,
}

/// A recorded body: `anthropic/text.sse`.
pub fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/providers").join(name);
    fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// A recorded JSON document.
pub fn json_fixture<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    serde_json::from_str(&fixture(name)).expect(name)
}

/// The paths of these requests.
pub fn paths(received: &[Received]) -> Vec<&str> {
    received.iter().map(|request| request.path.as_str()).collect()
}

/// Where and in what form an interface sends its answers.
pub struct Chat {
    pub replay: Replay,
    pub path: &'static str,
    pub content_type: &'static str,
    pub model: Arc<dyn Model>,
}

impl Chat {
    /// The answer when the provider sends this body.
    pub async fn ask(&self, body: &str) -> CollectedAnswer {
        self.ask_for(Recording::new(self.content_type, body.to_owned())).await
    }

    /// The answer to this response.
    pub async fn ask_for(&self, recording: Recording) -> CollectedAnswer {
        self.replay.set(self.path, recording);
        collect(self.model.answer(prompt("a private question"), CancellationToken::new())).await
    }

    /// The answer is the same however its bytes arrive.
    pub async fn check_pieces(&self, body: &str) {
        let whole = self.ask(body).await;
        assert!(whole.end.is_some(), "{whole:?}");
        let recording = |body: &str| Recording::new(self.content_type, body.to_owned());
        assert_eq!(self.ask_for(recording(body).byte_by_byte()).await, whole, "byte by byte");
        let crlf = body.replace("\r\n", "\n").replace('\n', "\r\n");
        assert_eq!(self.ask_for(recording(&crlf)).await, whole, "with CRLF");
        assert_eq!(self.ask_for(recording(&crlf).byte_by_byte()).await, whole, "with CRLF, byte by byte");
        assert_eq!(self.ask(&crlf.replace("\r\n", "\n")).await, whole, "with LF");
        assert_eq!(self.ask(&format!("\u{FEFF}{body}")).await, whole, "with a byte order mark");
        for at in 1..body.len() {
            assert_eq!(self.ask_for(recording(body).split_at(at)).await, whole, "in two pieces, at {at}");
        }
    }

    /// An answer that ends too early keeps its text and is reported as cut. `finish` is in the line with the reason to
    /// stop. Once that line has come, the answer is complete.
    pub async fn check_cuts(&self, body: &str, finish: &str) {
        let whole = self.ask(body).await;
        assert_eq!(whole.end, Some(Ok(FinishReason::Stop)), "{whole:?}");
        let finish = body.find(finish).expect(finish);
        let known_from = finish + body[finish..].find(['\r', '\n']).expect("a line");
        let up_to = |at: usize| Recording::new(self.content_type, body.as_bytes()[..at].to_vec());
        for at in 0..body.len() {
            let answer = self.ask_for(up_to(at)).await;
            assert!(whole.text.starts_with(&answer.text), "{at}: {answer:?}");
            assert!(whole.reasoning.starts_with(&answer.reasoning), "{at}: {answer:?}");
            match answer.end {
                Some(Ok(FinishReason::Stop)) if at >= known_from => assert_eq!(answer.text, whole.text, "{at}"),
                Some(Err(Failure::Cut)) if at < known_from => {}
                // The name of the first field has not come yet.
                Some(Err(Failure::PlainText)) if (1.."event".len()).contains(&at) => {}
                end => panic!("{at}: {end:?} {}", answer.detail),
            }
        }
        let answer = self.ask_for(up_to(finish).broken()).await;
        assert_eq!(answer.end, Some(Err(Failure::Cut)), "{}", answer.detail);
        assert!(!answer.text.is_empty() && whole.text.starts_with(&answer.text), "{}", answer.text);
    }

    /// Each error of the recorded list is reported as this failure. Its log detail contains neither keys nor texts.
    pub async fn check_errors(&self, list: &str, failures: &[Failure]) {
        let errors: Vec<RecordedError> = json_fixture(list);
        assert_eq!(errors.len(), failures.len());
        for (RecordedError { status, body }, failure) in errors.iter().zip(failures) {
            let answer = self.ask_for(Recording::json(*status, body)).await;
            assert_eq!(answer.end, Some(Err(*failure)), "{status} {body}: {}", answer.detail);
            assert!(answer.detail.contains(&status.to_string()), "{body}: {}", answer.detail);
            for secret in [KEY, "private", "tokens >", "API key"] {
                assert!(!answer.detail.contains(secret), "{}", answer.detail);
            }
        }
    }
}
