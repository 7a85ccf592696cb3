//! The model on this machine, with the real file, in its own process.

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
        Delta, Finish, Model, Prompt,
        local::{LocalModel, Settings},
    },
};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{eventually, prompt, told, turn};
use crate::support::model_file;

const PROGRAM: &str = env!("CARGO_BIN_EXE_colloquy");
const LONG_STORY: &str = "Write a very long story about a lighthouse keeper and his dog.";

fn settings() -> Settings {
    Settings::new(PathBuf::from(PROGRAM))
}

fn model(settings: Settings) -> LocalModel {
    LocalModel::new(&model_file(), settings)
}

/// The processes of models that this test has started and that still run.
fn processes() -> Vec<u32> {
    let own = std::process::id().to_string();
    let stat = |pid: u32| fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    let is_worker = |pid: &u32| {
        let Some(stat) = stat(*pid) else { return false };
        // Behind the name in brackets: the state and the parent.
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
    let first = told(model.answer(prompt("What is the capital of France?"), CancellationToken::new())).await;
    assert!(first.text.contains("France"), "{first:?}");
    assert_eq!((first.end, first.loading, first.left_out), (Some(Ok(Finish::Stop)), true, None));
    let usage = first.usage.expect("counts");
    assert!(usage.prompt > 10 && usage.answer > 1, "{usage:?}");

    let second = told(model.answer(prompt("Name a colour."), CancellationToken::new())).await;
    assert_eq!((second.end, second.loading), (Some(Ok(Finish::Stop)), false), "it stays loaded");
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
async fn an_answer_goes_on_where_it_ended() {
    let model = model(settings());
    for so_far in ["The capital of France is", "The capital of France is "] {
        let prompt = Prompt { answer_so_far: Some(so_far.to_owned()), ..prompt("What is the capital of France?") };
        let told = told(model.answer(prompt, CancellationToken::new())).await;
        let whole = format!("{so_far}{}", told.text);
        assert!(whole.starts_with("The capital of France is Paris"), "{whole:?}");
    }
}

#[tokio::test]
async fn names_of_special_tokens_mean_nothing_in_a_message() {
    // A short window bounds the answer.
    let model = model(Settings { context: Some(512), ..settings() });
    let count = async |text: &str| {
        let told = told(model.answer(prompt(text), CancellationToken::new())).await;
        told.usage.unwrap_or_else(|| panic!("{told:?}")).prompt
    };
    let plain = count("Say hello.").await;
    let special = count(&format!("Say hello.{}", "<|im_end|>".repeat(20))).await;
    assert!(special > plain + 60, "{plain} and {special}: as special tokens they would be 20");
}

#[tokio::test]
async fn long_conversations_lose_their_oldest_turns_and_say_so() {
    let model = model(Settings { context: Some(512), ..settings() });
    let author = |i| if i % 2 == 0 { Author::User } else { Author::Assistant };
    let mut turns: Vec<_> = (0..40).map(|i| turn(author(i), "some words that were said a while ago")).collect();
    turns.push(turn(Author::User, "What is the capital of France?"));
    let prompt = Prompt { turns, ..prompt("") };
    let told = told(model.answer(prompt, CancellationToken::new())).await;
    let left_out = told.left_out.expect("something is left out");
    assert!(left_out % 2 == 0 && (4..40).contains(&left_out), "{left_out}");
    let read = told.usage.expect("counts").prompt;
    assert!((250..=384).contains(&read), "{read} of 512 tokens, a quarter kept for the answer");
}

#[tokio::test]
async fn a_message_over_the_context_is_told() {
    let model = model(Settings { context: Some(512), ..settings() });
    let told = told(model.answer(prompt(&"word ".repeat(2_000)), CancellationToken::new())).await;
    assert_eq!(told.end, Some(Err(Failure::TooLong)), "{told:?}");
}

#[tokio::test]
async fn missing_and_broken_files_and_programs_are_told() {
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
        let told = told(model.answer(prompt("Hello"), CancellationToken::new())).await;
        assert_eq!(told.end, Some(Err(failure)), "{}: {}", file.display(), told.detail);
    }
}

#[tokio::test]
async fn a_crash_costs_one_answer() {
    let model = model(settings());
    let mut deltas = model.answer(prompt(LONG_STORY), CancellationToken::new());
    while !matches!(deltas.next().await.expect("an answer").expect("no fault yet"), Delta::Text(_)) {}
    signal("-KILL");
    let told_first = told(deltas).await;
    assert_eq!(told_first.end, Some(Err(Failure::Crashed)), "{told_first:?}");
    assert!(told_first.detail.contains("signal: 9"), "{}", told_first.detail);

    let next = told(model.answer(prompt("What is the capital of France?"), CancellationToken::new())).await;
    assert_eq!((next.loading, next.end), (true, Some(Ok(Finish::Stop))), "{next:?}");
}

#[tokio::test]
async fn a_process_that_dies_while_nobody_asks_costs_nothing() {
    let model = model(settings());
    told(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    signal("-KILL");
    let next = told(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    assert_eq!((next.loading, next.end), (true, Some(Ok(Finish::Stop))), "{next:?}");
}

#[tokio::test]
async fn a_process_that_hangs_is_replaced() {
    let model = model(Settings { silence: Duration::from_secs(2), ..settings() });
    let mut deltas = model.answer(prompt(LONG_STORY), CancellationToken::new());
    while !matches!(deltas.next().await.expect("an answer").expect("no fault yet"), Delta::Text(_)) {}
    signal("-STOP");
    assert_eq!(told(deltas).await.end, Some(Err(Failure::TimedOut)));
    let next = told(model.answer(prompt("What is the capital of France?"), CancellationToken::new())).await;
    assert_eq!((next.loading, next.end), (true, Some(Ok(Finish::Stop))), "{next:?}");
}

#[tokio::test]
async fn those_who_wait_come_in_order_and_hear_their_place() {
    let model = model(settings());
    let stop = CancellationToken::new();
    let mut first = model.answer(prompt(LONG_STORY), stop.clone());
    while !matches!(first.next().await.expect("an answer").expect("no fault"), Delta::Text(_)) {}

    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    let leaver = CancellationToken::new();
    let mut waiting = Vec::new();
    for place in 1..=3_u32 {
        let mut deltas =
            model.answer(prompt("Name a fruit."), if place == 1 { leaver.clone() } else { CancellationToken::new() });
        assert!(matches!(deltas.next().await, Some(Ok(Delta::Queued(told))) if told == place));
        let sender = sender.clone();
        waiting.push(tokio::spawn(async move {
            let told = told(deltas).await;
            sender.send(place).expect("the test listens");
            told
        }));
    }
    leaver.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    stop.cancel();
    assert!(first.collect::<Vec<_>>().await.iter().all(Result::is_ok), "a stopped answer simply ends");

    let told: Vec<_> =
        futures::future::join_all(waiting).await.into_iter().map(|told| told.expect("no panic")).collect();
    assert_eq!((told[0].end, told[0].text.as_str()), (None, ""), "who left hears nothing more");
    assert_eq!(told[1].queued, [1], "one place forward, because the first has left");
    assert_eq!(told[2].queued, [2, 1]);
    assert!(told[1..].iter().all(|told| told.end == Some(Ok(Finish::Stop)) && !told.text.is_empty()), "{told:?}");
    let served: Vec<u32> = std::iter::from_fn(|| order.try_recv().ok()).collect();
    assert_eq!(served, [1, 2, 3]);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_dropped_answer_makes_room_for_the_next() {
    let model = model(settings());
    let mut first = model.answer(prompt(LONG_STORY), CancellationToken::new());
    while !matches!(first.next().await.expect("an answer").expect("no fault"), Delta::Text(_)) {}
    drop(first);
    let next = told(model.answer(prompt("Name a fruit."), CancellationToken::new())).await;
    assert_eq!((next.end, next.loading), (Some(Ok(Finish::Stop)), false), "the process has stopped and goes on");
}

#[tokio::test]
async fn a_model_that_nobody_asks_is_freed() {
    let model = model(Settings { idle: Duration::from_millis(300), ..settings() });
    told(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    assert_eq!(processes().len(), 1);
    eventually("the process ends", || processes().is_empty()).await;
    let again = told(model.answer(prompt("Say hello."), CancellationToken::new())).await;
    assert_eq!((again.loading, again.end), (true, Some(Ok(Finish::Stop))));
    drop(model);
    eventually("the process ends with its model", || processes().is_empty()).await;
}

/// A process of the model, spoken to directly.
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

    /// The next line; every line is JSON, because the library's log goes elsewhere.
    fn event(&mut self) -> Value {
        let mut line = String::new();
        self.events.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not an event: {line:?}"))
    }

    /// How many steps of reading an answer takes. It is ended with its first word.
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
fn c07_a_stop_is_heard_within_200_ms_while_reading_and_while_writing() {
    let mut worker = Worker::start(&model_file());
    let mut times = Vec::new();
    for round in 0..6_u64 {
        let reading = round % 2 == 0;
        let text =
            if reading { format!("{round} {}", "Many words to read. ".repeat(1_000)) } else { LONG_STORY.to_owned() };
        worker.generate(round, &json!([{"author": "user", "text": text}]));
        let awaited = if reading { "reading" } else { "text" };
        while worker.event().get(awaited).is_none() {}
        let begun = Instant::now();
        worker.order(&json!({"cancel": {"id": round}}));
        let end = loop {
            let event = worker.event();
            assert!(!reading || event.get("text").is_none(), "it was reading: {event}");
            if let Some(end) = event.get("end") {
                break end.clone();
            }
        };
        times.push(begun.elapsed());
        assert_eq!((&end["id"], &end["finish"]), (&json!(round), &Value::Null));
    }
    times.sort();
    // The machine may be busy with other tests now and then.
    assert!(times[times.len() / 2] < Duration::from_millis(200), "{times:?}");
}

#[test]
fn what_was_read_before_is_not_read_again() {
    let mut worker = Worker::start(&model_file());
    let text = "Many words to read. ".repeat(100);
    let first = json!({"author": "user", "text": text});
    let begun = worker.steps(1, &json!([first]));
    let turns = json!([first, {"author": "assistant", "text": "Yes."}, {"author": "user", "text": "Go on."}]);
    let again = worker.steps(2, &turns);
    assert!(begun >= 3 && again <= begun / 2, "{begun} steps, then {again}");
}

#[test]
fn the_process_ends_with_its_input() {
    for order in [None, Some(LONG_STORY)] {
        let mut worker = Worker::start(&model_file());
        if let Some(text) = order {
            worker.generate(1, &json!([{"author": "user", "text": text}]));
            while worker.event().get("text").is_none() {}
        }
        drop(worker.orders.take());
        let begun = Instant::now();
        while worker.process.try_wait().expect("a process").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(3), "it still runs");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
