//! The worker process of one model: `colloquy model-worker`. Reads commands from standard input and exits when it is
//! closed.

use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
    time::Duration,
};

use super::{
    super::{ModelError, Prompt},
    bench,
    engine::{self, Engine, ProgressSink},
    protocol::{Event, WorkerCommand},
    worker_args::WorkerArgs,
};

/// Runs a model until standard input is closed. Must not be called twice in one process.
pub fn run(args: WorkerArgs) -> ExitCode {
    let result = if args.bench { bench::run(&args) } else { serve(&args) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            send_event(&Event::Error { id: None, failure: fault.failure, detail: fault.detail });
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &WorkerArgs) -> Result<(), ModelError> {
    // Starts before loading, so that the process also exits with the server while the model loads.
    let commands = read_commands();
    let backend = engine::init_backend()?;
    let model = engine::load_model(&backend, &args.model)?;
    let context = engine::new_context(&backend, &model, args.thread_count(), args.context)?;
    let mut engine = Engine::new(&model, context);
    send_event(&Event::Ready { context: engine.window() });
    while let Ok(command) = commands.recv() {
        // A `Cancel` that arrives here is for an answer that has already ended.
        if let WorkerCommand::Generate { id, prompt } = command {
            answer(&mut engine, id, &prompt, &commands);
        }
    }
    Ok(())
}

fn answer(engine: &mut Engine<'_>, id: u64, prompt: &Prompt, commands: &Receiver<WorkerCommand>) {
    let event = match engine.answer(prompt, &mut EventSink { id, commands }) {
        Ok((finish, usage)) => Event::End { id, finish, usage },
        Err(fault) => Event::Error { id: Some(id), failure: fault.failure, detail: fault.detail },
    };
    send_event(&event);
}

/// Writes the events of an answer and checks for its cancellation.
struct EventSink<'a> {
    id: u64,
    commands: &'a Receiver<WorkerCommand>,
}

impl ProgressSink for EventSink<'_> {
    fn truncated(&mut self, count: usize) {
        send_event(&Event::TruncatedMessages { id: self.id, count: u32::try_from(count).unwrap_or(u32::MAX) });
    }

    fn should_continue(&mut self) -> bool {
        // The server sends the next request only after this answer has ended, so only its cancellation can arrive.
        match self.commands.try_recv() {
            Ok(WorkerCommand::Cancel { id }) => id != self.id,
            Ok(WorkerCommand::Generate { .. }) | Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Disconnected) => false,
        }
    }

    fn prompt_progress(&mut self) {
        send_event(&Event::Reading { id: self.id });
    }

    fn text(&mut self, chunk: &str) {
        send_event(&Event::Text { id: self.id, text: chunk.to_owned() });
    }
}

/// Writes one line in a single write.
fn send_event(event: &Event) {
    let mut line = serde_json::to_vec(event).expect("an event is always JSON");
    line.push(b'\n');
    let mut out = io::stdout().lock();
    if out.write_all(&line).and_then(|()| out.flush()).is_err() {
        // The server is gone.
        std::process::exit(1);
    }
}

/// Reads commands on a separate thread. When the input is closed, the process has one second to finish its step and
/// then exits.
fn read_commands() -> Receiver<WorkerCommand> {
    let (sender, commands) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            // Anything else was typed at a terminal.
            if let Ok(command) = serde_json::from_str(&line)
                && sender.send(command).is_err()
            {
                break;
            }
        }
        drop(sender);
        thread::sleep(Duration::from_secs(1));
        std::process::exit(0);
    });
    commands
}
