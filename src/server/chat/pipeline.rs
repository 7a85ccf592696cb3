//! What stands between a model and the readers: stages that may hold back, change or drop what the model says.
//!
//! There is no stage yet. Guardrails and tools will be stages, so that neither the readers nor the database see what they
//! have not let through.

use crate::server::llm::Delta;

/// One stage. Deltas come to it in their order.
pub(super) trait Stage: Send {
    /// Takes a delta, and pushes onto `out` what goes on now.
    fn take(&mut self, delta: Delta, out: &mut Vec<Delta>);

    /// The model says nothing more: pushes onto `out` what was held back and may go on.
    fn finish(&mut self, out: &mut Vec<Delta>);
}

/// The stages that an answer goes through, first to last.
#[derive(Default)]
pub(super) struct Pipeline {
    stages: Vec<Box<dyn Stage>>,
    /// What goes on, and what the stage before let go on. Kept, so that a delta allocates nothing.
    out: Vec<Delta>,
    before: Vec<Delta>,
}

impl Pipeline {
    /// Sends a delta through all stages. Gives what comes out.
    pub fn take(&mut self, delta: Delta) -> impl Iterator<Item = Delta> {
        self.out.push(delta);
        self.run(false);
        self.out.drain(..)
    }

    /// Gives what the stages have held back, once the model says nothing more.
    pub fn finish(&mut self) -> impl Iterator<Item = Delta> {
        self.run(true);
        self.out.drain(..)
    }

    fn run(&mut self, is_over: bool) {
        for stage in &mut self.stages {
            std::mem::swap(&mut self.before, &mut self.out);
            for delta in self.before.drain(..) {
                stage.take(delta, &mut self.out);
            }
            if is_over {
                stage.finish(&mut self.out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds back one delta, and doubles texts.
    #[derive(Default)]
    struct Doubling(Option<Delta>);

    impl Stage for Doubling {
        fn take(&mut self, delta: Delta, out: &mut Vec<Delta>) {
            out.extend(self.0.take());
            self.0 = Some(match delta {
                Delta::Text(text) => Delta::Text(text.repeat(2)),
                other => other,
            });
        }

        fn finish(&mut self, out: &mut Vec<Delta>) {
            out.extend(self.0.take());
        }
    }

    fn text(text: &str) -> Delta {
        Delta::Text(text.to_owned())
    }

    #[test]
    fn without_stages_everything_goes_on_at_once() {
        let mut pipeline = Pipeline::default();
        assert_eq!(pipeline.take(text("a")).collect::<Vec<_>>(), [text("a")]);
        assert_eq!(pipeline.finish().count(), 0);
    }

    #[test]
    fn what_one_stage_lets_go_at_the_end_goes_through_those_after_it() {
        let stages: Vec<Box<dyn Stage>> = vec![Box::<Doubling>::default(), Box::<Doubling>::default()];
        let mut pipeline = Pipeline { stages, ..Pipeline::default() };
        assert_eq!(pipeline.take(text("a")).count(), 0);
        assert_eq!(pipeline.take(Delta::Loading).count(), 0);
        assert_eq!(pipeline.take(text("b")).collect::<Vec<_>>(), [text("aaaa")]);
        assert_eq!(pipeline.finish().collect::<Vec<_>>(), [Delta::Loading, text("bbbb")]);
        assert_eq!(pipeline.finish().count(), 0, "nothing twice");
    }
}
