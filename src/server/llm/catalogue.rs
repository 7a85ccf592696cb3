//! Which models there are, and how to get at one.

use std::sync::Arc;

use super::{
    Model,
    openai::{self, Endpoint, OpenAi},
};
use crate::{
    domain::{ModelChoice, ModelOption},
    server::config::Config,
};

/// All models of all providers.
#[derive(Clone, Default)]
pub struct Models {
    endpoints: Arc<Vec<(String, Vec<String>, Arc<Endpoint>)>>,
}

impl Models {
    /// TEMP until the catalogue is merged.
    pub fn new(config: &Config) -> Self {
        let client = openai::client();
        let endpoints = config.providers.iter().map(|p| {
            let e = Endpoint::new(client.clone(), &p.base_url, p.key.clone(), p.context, openai::Limits::default());
            (p.name.clone(), p.models.clone(), Arc::new(e))
        });
        Self { endpoints: Arc::new(endpoints.collect()) }
    }

    /// What the picker shows.
    pub async fn list(&self) -> ModelChoice {
        let mut models = Vec::new();
        for (p, names, _) in self.endpoints.iter() {
            for n in names {
                models.push(ModelOption {
                    id: format!("{p}/{n}"),
                    label: n.clone(),
                    provider: p.clone(),
                    local: false,
                    bundled: false,
                });
            }
        }
        ModelChoice { default: models.first().map(|m| m.id.clone()), models }
    }

    /// The model with this id (`provider/name`), and its name for people.
    pub async fn find(&self, id: &str) -> Option<(Arc<dyn Model>, String)> {
        let (p, n) = id.split_once('/')?;
        let (_, names, e) = self.endpoints.iter().find(|(name, ..)| name == p)?;
        names
            .iter()
            .any(|m| m == n)
            .then(|| (Arc::new(OpenAi::new(e.clone(), n.to_owned())) as Arc<dyn Model>, n.to_owned()))
    }
}
