//! The embedded model in its own process, with a real model file.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use colloquy::{
    domain::{Author, Failure},
    server::llm::{
        Delta, FinishReason, Model, Prompt,
        local::{LocalModel, Settings},
    },
};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{collect, prompt, turn};
use crate::support::{
    model_file,
    wait::{MAX_WAIT, finish, wait_until},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_colloquy");
const LONG_STORY: &str = "Write a very long story about a lighthouse keeper and his dog.";

fn settings() -> Settings {
    Settings::new(PathBuf::from(PROGRAM))
}

fn model(settings: Settings) -> LocalModel {
    LocalModel::new(&model_file(), settings)
}

/// The running model processes of this test.
fn processes() -> Vec<u32> {
    let own = std::process::id().to_string();
    let stat = |pid: u32| fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    let is_worker = |pid: &u32| {
        let Some(stat) = stat(*pid) else { return false };
        // After the name in parentheses: the state and the parent's process id.
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        fields.next() != Some("Z") && fields.next() == Some(own.as_str())
    };
    let pids = fs::read_dir("/proc").expect("a list of processes").flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_worker).collect()
}

fn signal(signal: &str) {
    let running = processes();
    assert_eq!(running.len(), 1, "one process runs one model");
    let status = Command::new("kill").args([signal, &running[0].to_string()]).status().expect("kill runs");
    assert!(status.success());
}

#[tokio::test]
async fn a_real_model_answers() {
    let model = model(settings());
    let prompt = |text| Prompt { system: "You are a helpful assistant.".to_owned(), ..prompt(text) };
    let first = collect(model.answer(prompt("What is the capital of France?"), CancellationToken::new())).await;
    assert!(first.text.contains("France"), "{first:?}");
    assert_eq!((first.end, first.loading, first.truncated_messages), (Some(Ok(FinishReason::Stop)), true, None));
    let usage = first.usage.expect("counts");
    assert!(usage.prompt > 10 && usage.answer > 1, "{usage:?}");

    let second = collect(model.answer(prompt("Name a colour."), CancellationToken::new())).await;
    assert_eq!((second.end, second.loading), (Some(Ok(FinishReason::Stop)), false), "it stays loaded");
}

#[tokio::test]
async fn nothing_is_started_before_the_stream_is_polled() {
    let model = model(settings());
    let deltas = model.answer(prompt("Hello"), CancellationToken::new());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(processes().is_empty());
    drop(deltas);
}

#[tokio::test]
async fn an_answer_is_continued_from_its_end() {
    let model = model(settings());
    for so_far in ["The capital of France is", "The capital of France is "] {
        let prompt = Prompt { answer_so_far: Some(so_far.to_owned()), ..prompt("What is the capital of France?") };
        let answer = collect(model.answer(prompt, CancellationToken::new())).await;
        let whole = format!("{so_far}{}", answer.text);
        assert!(whole.starts_with("The capital of France is Paris"), "{whole:?}");
    }
}

#[tokio::test]
async fn special_token_names_in_a_message_are_plain_text() {
    // A small context limits the answer.
    let model = model(Settings { context: Some(512), ..settings() });
    let count = async |text: &str| {
        let answer = collect(model.answer(prompt(text), CancellationToken::new())).await;
        answer.usage.unwrap_or_else(|| panic!("{answer:?}")).prompt
    };
    let plain = count("Say hello.").await;
    let special = count(&format!("Say hello.{}", "<|im_end|>".repeat(20))).await;
    assert!(special > plain + 60, "{plain} and {special}: as special tokens they would be 20");
}

#[tokio::test]
async fn long_conversations_drop_their_oldest_turns_and_report_it() {
    let model = model(Settings { context: Some(512), ..settings() });
    let author = |i| if i % 2 == 0 { Author::User } else { Author::Assistant };
    let mut turns: Vec<_> = (0..40).map(|i| turn(author(i), "some words that were said a while ago")).collect();
    turns.push(turn(Author::User, "What is the capital of France?"));
    let prompt = Prompt { turns, ..prompt("") };
    let answer = collect(model.answer(prompt, CancellationToken::new())).await;
    let truncated_messages = answer.truncated_messages.expect("something is left out");
    assert!(truncated_messages % 2 == 0 && (4..40).contains(&truncated_messages), "{truncated_messages}");
    let read = answer.usage.expect("counts").prompt;
    assert!((250..=384).contains(&read), "{read} of 512 tokens, a quarter kept for the answer");
}

#[tokio::test]
async fn a_message_over_the_context_is_reported() {
    let model = model(Settings { context: Some(512), ..settings() });
    let answer = collect(model.answer(prompt(&"word ".repeat(2_000)), CancellationToken::new())).await;
    assert_eq!(answer.end, Some(Err(Failure::TooLong)), "{answer:?}");
}

#[tokio::test]
async fn missing_and_broken_files_and_programs_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.gguf");
    fs::write(&broken, "this is no model").expect("written");
    for (file, settings, failure) in [
        (folder.path().join("missing.gguf"), settings(), Failure::ModelGone),
        (broken, settings(), Failure::BadFile),
        (model_file(), Settings { program: folder.path().join("no-program"), ..settings() }, Failure::Crashed),
        (model_file(), Settings { program: "/bin/true".into(), ..settings() }, Failure::Crashed),
    ] {
        let model = LocalModel::new(&file, settings);
        let answer = collect(model.answer(prompt("Hello"), CancellationToken::new())).await;
        assert_eq!(answer.end, Some(Err(failure)), "{}: {}", file.display(), answer.detail);
    }
}

#[tokio::test]
async fn a_crash_fails_only_one_answer() {
    let model = model(settings());
    let mut deltas = model.answer(prompt(LONG_STORY), CancellationToken::new());
    while !matches!(deltas.next().await.expect("an answer").expect("no fault yet"), Delta::Text(_)) {}
    signal("-KILL");
    let first = collect(deltas).await;
    assert_eq!(first.end, Some(Err(Failure::Crashed)), "{first:?}");
    assert!(first.detail.contains("signal: 9"), "{}", first.detail);

    let next = collect(model.answer(prompt("What is the capital of France?"), CancellationToken::new())).await;
    assert_eq!((next.loading, next.end), (true, Some(Ok(FinishReason::Stop))), "{next:?}");
}

#[tokio::test]
async fn a_process_that_dies_while_idle_fails_no_answer() {
    let model = model(settings());
    collect(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    signal("-KILL");
    let next = collect(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    assert_eq!((next.loading, next.end), (true, Some(Ok(FinishReason::Stop))), "{next:?}");
}

#[tokio::test]
async fn a_process_that_hangs_is_replaced() {
    let model = model(Settings { silence_timeout: Duration::from_secs(2), ..settings() });
    let mut deltas = model.answer(prompt(LONG_STORY), CancellationToken::new());
    while !matches!(deltas.next().await.expect("an answer").expect("no fault yet"), Delta::Text(_)) {}
    signal("-STOP");
    assert_eq!(collect(deltas).await.end, Some(Err(Failure::TimedOut)));
    let next = collect(model.answer(prompt("What is the capital of France?"), CancellationToken::new())).await;
    assert_eq!((next.loading, next.end), (true, Some(Ok(FinishReason::Stop))), "{next:?}");
}

#[tokio::test]
async fn queued_answers_run_in_order_and_report_their_position() {
    let model = model(settings());
    let stop = CancellationToken::new();
    let mut first = model.answer(prompt(LONG_STORY), stop.clone());
    while !matches!(first.next().await.expect("an answer").expect("no fault"), Delta::Text(_)) {}

    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    let (move_sender, mut moves) = tokio::sync::mpsc::unbounded_channel();
    let leaver = CancellationToken::new();
    let mut waiting = Vec::new();
    for place in 1..=3_u32 {
        let mut deltas =
            model.answer(prompt("Name a fruit."), if place == 1 { leaver.clone() } else { CancellationToken::new() });
        assert!(matches!(deltas.next().await, Some(Ok(Delta::Queued(position))) if position == place));
        let (sender, move_sender) = (sender.clone(), move_sender.clone());
        waiting.push(tokio::spawn(async move {
            let moved = deltas.inspect(move |item| {
                if let Ok(Delta::Queued(position)) = item {
                    move_sender.send((place, *position)).expect("the test listens");
                }
            });
            let answer = collect(moved.boxed()).await;
            sender.send(place).expect("the test listens");
            answer
        }));
    }
    leaver.cancel();
    // The queue has moved up before the first answer ends.
    let mut moved = [(); 2].map(|()| None);
    for place in &mut moved {
        *place = finish("the queue to move up", moves.recv()).await;
    }
    moved.sort_unstable();
    assert_eq!(moved, [Some((2, 1)), Some((3, 2))]);
    stop.cancel();
    assert!(first.collect::<Vec<_>>().await.iter().all(Result::is_ok), "a stopped answer simply ends");

    let answers: Vec<_> =
        futures::future::join_all(waiting).await.into_iter().map(|answer| answer.expect("no panic")).collect();
    assert_eq!((answers[0].end, answers[0].text.as_str()), (None, ""), "a cancelled answer gets nothing more");
    assert_eq!(answers[1].queued, [1], "moves up, because the first was cancelled");
    assert_eq!(answers[2].queued, [2, 1]);
    assert!(
        answers[1..].iter().all(|answer| answer.end == Some(Ok(FinishReason::Stop)) && !answer.text.is_empty()),
        "{answers:?}"
    );
    let served: Vec<u32> = std::iter::from_fn(|| order.try_recv().ok()).collect();
    assert_eq!(served, [1, 2, 3]);
}

#[tokio::test]
async fn a_dropped_answer_frees_the_model_for_the_next() {
    let model = model(settings());
    let mut first = model.answer(prompt(LONG_STORY), CancellationToken::new());
    while !matches!(first.next().await.expect("an answer").expect("no fault"), Delta::Text(_)) {}
    drop(first);
    let next = collect(model.answer(prompt("Name a fruit."), CancellationToken::new())).await;
    assert_eq!(
        (next.end, next.loading),
        (Some(Ok(FinishReason::Stop)), false),
        "the process has stopped the answer and continues"
    );
}

#[tokio::test]
async fn an_idle_model_is_unloaded() {
    let model = model(Settings { idle_timeout: Duration::from_millis(300), ..settings() });
    collect(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    assert_eq!(processes().len(), 1);
    wait_until("the process ends", async || processes().is_empty()).await;
    let again = collect(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    assert_eq!((again.loading, again.end), (true, Some(Ok(FinishReason::Stop))));
    drop(model);
    wait_until("the process ends with its model", async || processes().is_empty()).await;
}

/// A model process, without the server's side.
struct Worker {
    process: Child,
    orders: Option<ChildStdin>,
    events: BufReader<ChildStdout>,
}

impl Worker {
    fn start(file: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command
            .args(["model-worker", "--model"])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().expect("the program starts");
        let orders = process.stdin.take();
        let events = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut worker = Self { process, orders, events };
        assert_eq!(worker.event()["ready"]["context"], 8_192);
        worker
    }

    fn order(&mut self, order: &Value) {
        let orders = self.orders.as_mut().expect("it still listens");
        writeln!(orders, "{order}").expect("it takes orders");
    }

    fn generate(&mut self, id: u64, turns: &Value) {
        let prompt = json!({"system": "Be brief.", "turns": turns, "answer_so_far": null});
        self.order(&json!({"generate": {"id": id, "prompt": prompt}}));
    }

    /// The next event. Every line is JSON, because the library's log goes to stderr.
    fn event(&mut self) -> Value {
        let mut line = String::new();
        self.events.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not an event: {line:?}"))
    }

    /// The number of steps for reading a prompt. The answer is cancelled at its first text.
    fn steps(&mut self, id: u64, turns: &Value) -> usize {
        self.generate(id, turns);
        let mut steps = 0;
        loop {
            let event = self.event();
            steps += usize::from(event.get("reading").is_some());
            if event.get("text").is_some() {
                self.order(&json!({"cancel": {"id": id}}));
            }
            if event.get("end").is_some() {
                return steps;
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn c07_a_stop_takes_effect_while_reading_and_writing() {
    let mut worker = Worker::start(&model_file());
    for round in 0..6_u64 {
        let reading = round % 2 == 0;
        let text =
            if reading { format!("{round} {}", "Many words to read. ".repeat(1_000)) } else { LONG_STORY.to_owned() };
        worker.generate(round, &json!([{"author": "user", "text": text}]));
        let awaited = if reading { "reading" } else { "text" };
        while worker.event().get(awaited).is_none() {}
        worker.order(&json!({"cancel": {"id": round}}));
        let end = loop {
            let event = worker.event();
            assert!(!reading || event.get("text").is_none(), "it was reading: {event}");
            if let Some(end) = event.get("end") {
                break end.clone();
            }
        };
        assert_eq!((&end["id"], &end["finish"]), (&json!(round), &Value::Null), "it did not reach its own end");
    }
}

#[test]
fn a_common_prompt_prefix_is_not_read_again() {
    let mut worker = Worker::start(&model_file());
    let text = "Many words to read. ".repeat(100);
    let first = json!({"author": "user", "text": text});
    let begun = worker.steps(1, &json!([first]));
    let turns = json!([first, {"author": "assistant", "text": "Yes."}, {"author": "user", "text": "Go on."}]);
    let again = worker.steps(2, &turns);
    assert!(begun >= 3 && again <= begun / 2, "{begun} steps, then {again}");
}

#[test]
fn the_process_exits_when_its_input_closes() {
    for order in [None, Some(LONG_STORY)] {
        let mut worker = Worker::start(&model_file());
        if let Some(text) = order {
            worker.generate(1, &json!([{"author": "user", "text": text}]));
            while worker.event().get("text").is_none() {}
        }
        drop(worker.orders.take());
        let begun = Instant::now();
        while worker.process.try_wait().expect("a process").is_none() {
            assert!(begun.elapsed() < MAX_WAIT, "it still runs");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
