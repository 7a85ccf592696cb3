//! Tests the configured providers and model files.

use std::{error::Error, io::Write};

use crate::server::{
    config::Config,
    egress::Egress,
    llm::{FileKind, ModelError, Models, ProviderCheck},
};

/// The maximum number of models that are listed per provider.
const MAX_LISTED_NAMES: usize = 10;

/// Lists the models of every provider, checks every model file, and writes the results.
///
/// # Errors
/// The number of providers and files that do not work; or the output cannot be written.
pub fn check_models(config: &Config, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let models = Models::new(config, &Egress::new(config.egress.allowed_networks.clone()));
    let (check, files) = runtime.block_on(async { tokio::join!(models.check_providers(), models.local_files()) });
    let mut failed = 0;
    for check in &check {
        let (works, message) = describe(check);
        failed += usize::from(!works);
        writeln!(out, "providers.{}: {message}", check.name)?;
    }
    for file in &files {
        let message = match &file.kind {
            FileKind::Chat => "works.".to_owned(),
            FileKind::Other(what) => format!("is not a chat model ({what}), so it isn't offered."),
            FileKind::Broken(why) => {
                failed += 1;
                format!("can't be used: {why}.")
            }
        };
        writeln!(out, "{}: {message}", file.path.display())?;
    }
    match failed {
        0 => Ok(()),
        1 => Err("1 of these doesn't work.".into()),
        n => Err(format!("{n} of these don't work.").into()),
    }
}

/// Whether a provider works, and the message about it.
fn describe(check: &ProviderCheck) -> (bool, String) {
    let ProviderCheck {
        base_url, list_url, configured_models, models, list_is_under_v1, accepts_chat_requests, ..
    } = check;
    match models {
        Ok(models) if models.names.is_empty() && configured_models.is_empty() => {
            (false, format!("it answers at {base_url}, but its model list is empty. List some in `models`."))
        }
        Ok(models) => {
            let (missing, names): (Vec<_>, Vec<_>) = match configured_models.as_slice() {
                [] => (Vec::new(), models.names.iter().collect()),
                configured_models => configured_models.iter().partition(|name| !models.names.contains(name)),
            };
            let more = names.len().saturating_sub(MAX_LISTED_NAMES);
            let mut message = format!("it answers and offers {}", join_names(&names));
            if more > 0 {
                message.push_str(&format!(" and {more} more"));
            }
            let problems = models.problems();
            if !problems.is_empty() {
                message.push_str(&format!(" (its list: {problems})"));
            }
            message.push('.');
            if !missing.is_empty() {
                message.push_str(&format!(" Not in its list: {}.", join_names(&missing)));
            }
            (missing.is_empty(), message)
        }
        Err(_) if *list_is_under_v1 => {
            (false, format!("there is nothing at {base_url}. Set `base_url` to {base_url}/v1, where it answers."))
        }
        Err(fault) if *accepts_chat_requests && !configured_models.is_empty() => {
            (true, format!("it accepts requests, but has no model list ({}).", fault.detail))
        }
        Err(fault) => {
            let advice = match (accepts_chat_requests, configured_models.is_empty()) {
                (true, _) => "It accepts requests: list its models in `models`.",
                (false, true) => "Check `base_url` and `key`, or list its models in `models`.",
                (false, false) => "Check `base_url` and `key`.",
            };
            let ModelError { failure, detail } = fault;
            (false, format!("it doesn't list its models at {list_url}: {} ({detail}). {advice}", failure.text()))
        }
    }
}

fn join_names(names: &[&String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().take(MAX_LISTED_NAMES).map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
    }
}
