//! Which models there are, and how to get at one.

use std::sync::Arc;

use super::Model;
use crate::domain::ModelChoice;

/// All models of all providers.
#[derive(Clone, Default)]
pub struct Models {}

impl Models {
    /// TEMP
    pub fn new(_config: &crate::server::config::Config) -> Self {
        Self {}
    }

    /// What the picker shows. Providers that do not answer are left out; their models come back with them.
    pub async fn list(&self) -> ModelChoice {
        ModelChoice::default()
    }

    /// The model with this id (`provider/name`), and its name for people.
    pub async fn find(&self, _id: &str) -> Option<(Arc<dyn Model>, String)> {
        None
    }
}
