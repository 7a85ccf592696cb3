//! Trying what the configuration names: providers and model files.

use std::{error::Error, io::Write};

use crate::server::{
    config::Config,
    egress::Egress,
    llm::{FileKind, ModelError as Fault, Models, Tried},
};

/// The most models that are named of one provider.
const NAMED: usize = 10;

/// Asks every provider for its models and looks at every model file, and writes what came of it.
///
/// # Errors
/// How many of them are of no use; also where this cannot be written.
pub fn try_models(config: &Config, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let models = Models::new(config, &Egress::new(config.egress.allowed_networks.clone()));
    let (tried, files) = runtime.block_on(async { tokio::join!(models.try_providers(), models.local_files()) });
    let mut failed = 0;
    for tried in &tried {
        let (works, words) = describe(tried);
        failed += usize::from(!works);
        writeln!(out, "providers.{}: {words}", tried.name)?;
    }
    for file in &files {
        let words = match &file.kind {
            FileKind::Chat => "can be used.".to_owned(),
            FileKind::Other(what) => format!("is no model for conversations ({what}); it is not offered."),
            FileKind::Broken(why) => {
                failed += 1;
                format!("cannot be used: {why}.")
            }
        };
        writeln!(out, "{}: {words}", file.path.display())?;
    }
    match failed {
        0 => Ok(()),
        1 => Err("One of these does not work.".into()),
        n => Err(format!("{n} of these do not work.").into()),
    }
}

/// Whether a provider works, and what to say of it.
fn describe(tried: &Tried) -> (bool, String) {
    let Tried { base_url, chosen, listed, answers_under_v1, takes_questions, .. } = tried;
    match listed {
        Ok(listed) if listed.names.is_empty() && chosen.is_empty() => {
            (false, format!("it answers at {base_url}, but its list of models is empty. Name some with `models`."))
        }
        Ok(listed) => {
            let (missing, names): (Vec<_>, Vec<_>) = match chosen.as_slice() {
                [] => (Vec::new(), listed.names.iter().collect()),
                chosen => chosen.iter().partition(|name| !listed.names.contains(name)),
            };
            let more = names.len().saturating_sub(NAMED);
            let mut words = format!("it answers and offers {}", some_of(&names));
            if more > 0 {
                words.push_str(&format!(" and {more} more"));
            }
            let complaint = listed.complaint();
            if !complaint.is_empty() {
                words.push_str(&format!(" (its list: {complaint})"));
            }
            words.push('.');
            if !missing.is_empty() {
                words.push_str(&format!(" Not in its list: {}.", some_of(&missing)));
            }
            (missing.is_empty(), words)
        }
        Err(_) if *answers_under_v1 => {
            (false, format!("there is nothing at {base_url}. Write {base_url}/v1 as `base_url`: there it answers."))
        }
        Err(fault) if *takes_questions && !chosen.is_empty() => {
            (true, format!("it takes questions, and has no list of models ({}).", fault.detail))
        }
        Err(fault) => {
            let advice = match (takes_questions, chosen.is_empty()) {
                (true, _) => "It takes questions: name its models with `models`.",
                (false, true) => "Check `base_url` and `key`, or name its models with `models`.",
                (false, false) => "Check `base_url` and `key`.",
            };
            let Fault { failure, detail } = fault;
            (
                false,
                format!("it does not list its models at {base_url}/models: {} ({detail}). {advice}", failure.text()),
            )
        }
    }
}

fn some_of(names: &[&String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().take(NAMED).map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
    }
}
