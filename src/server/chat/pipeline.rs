//! The stages between a model and the readers. A stage may hold back, change or drop output of the model.
//!
//! There are no stages yet. Guardrails and tools will be stages, so that neither the readers nor the database see
//! output that they have not passed.

use crate::server::llm::Delta;

/// A stage of the pipeline. Receives deltas in order.
pub(super) trait Stage: Send {
    /// Processes a delta. Pushes the deltas to pass on to `out`.
    fn process(&mut self, delta: Delta, out: &mut Vec<Delta>);

    /// Called when the model has finished. Pushes the deltas that were held back to `out`.
    fn finish(&mut self, out: &mut Vec<Delta>);
}

/// The stages of an answer, in order.
#[derive(Default)]
pub(super) struct Pipeline {
    stages: Vec<Box<dyn Stage>>,
    /// The output of the current stage and of the one before it. Reused, so that processing a delta does not allocate.
    output: Vec<Delta>,
    input: Vec<Delta>,
}

impl Pipeline {
    /// Sends a delta through all stages. Returns the output of the last one.
    pub fn process(&mut self, delta: Delta) -> impl Iterator<Item = Delta> {
        self.output.push(delta);
        self.run(false);
        self.output.drain(..)
    }

    /// Returns what the stages held back, after the model has finished.
    pub fn finish(&mut self) -> impl Iterator<Item = Delta> {
        self.run(true);
        self.output.drain(..)
    }

    fn run(&mut self, is_finished: bool) {
        for stage in &mut self.stages {
            std::mem::swap(&mut self.input, &mut self.output);
            for delta in self.input.drain(..) {
                stage.process(delta, &mut self.output);
            }
            if is_finished {
                stage.finish(&mut self.output);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays by one delta and doubles its text.
    #[derive(Default)]
    struct DelayAndDouble(Option<Delta>);

    impl Stage for DelayAndDouble {
        fn process(&mut self, delta: Delta, out: &mut Vec<Delta>) {
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
    fn without_stages_deltas_pass_through_immediately() {
        let mut pipeline = Pipeline::default();
        assert_eq!(pipeline.process(text("a")).collect::<Vec<_>>(), [text("a")]);
        assert_eq!(pipeline.finish().count(), 0);
    }

    #[test]
    fn deltas_released_at_the_end_pass_through_the_later_stages() {
        let stages: Vec<Box<dyn Stage>> = vec![Box::<DelayAndDouble>::default(), Box::<DelayAndDouble>::default()];
        let mut pipeline = Pipeline { stages, ..Pipeline::default() };
        assert_eq!(pipeline.process(text("a")).count(), 0);
        assert_eq!(pipeline.process(Delta::Loading).count(), 0);
        assert_eq!(pipeline.process(text("b")).collect::<Vec<_>>(), [text("aaaa")]);
        assert_eq!(pipeline.finish().collect::<Vec<_>>(), [Delta::Loading, text("bbbb")]);
        assert_eq!(pipeline.finish().count(), 0, "nothing twice");
    }
}
