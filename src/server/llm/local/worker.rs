//! The process of one model: `colloquy model-worker`. It reads orders from standard input and ends with it.

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
    engine::{self, Engine, Listener},
    protocol::{Event, Order},
    worker_args::WorkerArgs,
};

/// Runs a model until standard input ends. Must not be called twice in one process.
pub fn run(args: WorkerArgs) -> ExitCode {
    let done = if args.bench { bench::run(&args) } else { serve(&args) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tell(&Event::Error { id: None, failure: fault.failure, detail: fault.detail });
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &WorkerArgs) -> Result<(), ModelError> {
    // Listens from the beginning, so that loading ends with the server too.
    let orders = listen();
    let backend = engine::start_library()?;
    let model = engine::load(&backend, &args.model)?;
    let context = engine::new_context(&backend, &model, args.thread_count(), args.context)?;
    let mut engine = Engine::new(&model, context);
    tell(&Event::Ready { context: engine.window() });
    while let Ok(order) = orders.recv() {
        // A cancelled answer that is not being written has ended already.
        if let Order::Generate { id, prompt } = order {
            answer(&mut engine, id, &prompt, &orders);
        }
    }
    Ok(())
}

fn answer(engine: &mut Engine<'_>, id: u64, prompt: &Prompt, orders: &Receiver<Order>) {
    let event = match engine.answer(prompt, &mut Speaker { id, orders }) {
        Ok((finish, usage)) => Event::End { id, finish, usage },
        Err(fault) => Event::Error { id: Some(id), failure: fault.failure, detail: fault.detail },
    };
    tell(&event);
}

/// Tells what an answer does, and hears when to stop.
struct Speaker<'a> {
    id: u64,
    orders: &'a Receiver<Order>,
}

impl Listener for Speaker<'_> {
    fn left_out(&mut self, count: usize) {
        tell(&Event::LeftOut { id: self.id, count: u32::try_from(count).unwrap_or(u32::MAX) });
    }

    fn goes_on(&mut self) -> bool {
        // The server sends the next question only after the end of this one: all that can come is its cancelling.
        match self.orders.try_recv() {
            Ok(Order::Cancel { id }) => id != self.id,
            Ok(Order::Generate { .. }) | Err(TryRecvError::Empty) => true,
            Err(TryRecvError::Disconnected) => false,
        }
    }

    fn reading(&mut self) {
        tell(&Event::Reading { id: self.id });
    }

    fn text(&mut self, piece: &str) {
        tell(&Event::Text { id: self.id, text: piece.to_owned() });
    }
}

/// Writes one line, in one piece.
fn tell(event: &Event) {
    let mut line = serde_json::to_vec(event).expect("an event is always JSON");
    line.push(b'\n');
    let mut out = io::stdout().lock();
    if out.write_all(&line).and_then(|()| out.flush()).is_err() {
        // Nobody listens any more.
        std::process::exit(1);
    }
}

/// Reads orders on a thread of its own. The process ends with its server: when the input ends, it has a second to
/// finish its step.
fn listen() -> Receiver<Order> {
    let (sender, orders) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            // What is no order comes from a person at a terminal.
            if let Ok(order) = serde_json::from_str(&line)
                && sender.send(order).is_err()
            {
                break;
            }
        }
        drop(sender);
        thread::sleep(Duration::from_secs(1));
        std::process::exit(0);
    });
    orders
}
