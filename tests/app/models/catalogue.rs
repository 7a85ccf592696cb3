//! The list of models, and finding a model by id.

use std::{fs, path::Path, time::Duration};

use colloquy::{
    domain::{Failure, ModelChoice},
    server::{
        config::{Config, ProviderConfig, ProviderKind},
        egress::Egress,
        llm::{FinishReason, ModelListTimings, Models},
    },
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    collect,
    files::{Meta, chat_file, gguf},
    prompt,
};
use crate::support::{
    model_file,
    upstream::{ModelListMode, Upstream, script},
    wait::{finish, wait_until},
};

const BUNDLED: &str = "SmolLM2-135M-Instruct.Q4_1";

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3_600);

/// A list stays fresh, and is waited for as long as it takes.
const TIMES: ModelListTimings = ModelListTimings { ttl: NEVER, retry_delay: NEVER, timeout: NEVER };

fn config(folder: &Path, providers: &[(&str, &str, &[&str])]) -> Config {
    let mut config = Config::default();
    config.local.models = folder.to_owned();
    config.local.program = Some(env!("CARGO_BIN_EXE_colloquy").into());
    config.providers = providers
        .iter()
        .map(|(name, base_url, models)| ProviderConfig {
            name: (*name).to_owned(),
            kind: ProviderKind::OpenAi,
            base_url: (*base_url).to_owned(),
            key: None,
            models: models.iter().map(|&model| model.to_owned()).collect(),
            context: None,
            system_role: true,
        })
        .collect();
    config
}

fn ids(choice: &ModelChoice) -> Vec<&str> {
    choice.models.iter().map(|model| model.id.as_str()).collect()
}

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    files.iter().for_each(|file| fs::write(folder.path().join(file), chat_file()).expect("written"));
    folder
}

async fn unreachable() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}/v1", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn files_added_to_the_folder_are_listed() {
    let folder = folder(&["notes.txt", "b.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"]);
    fs::create_dir(folder.path().join("folder.gguf")).expect("made");
    for number in [0, 1] {
        let head = [("general.architecture", Meta::Text("llama")), ("tokenizer.ggml.tokens", Meta::Texts(1))];
        let split = [("split.no", Meta::Number(number)), ("split.count", Meta::Number(2))];
        let file = gguf(&head.into_iter().chain(split).collect::<Vec<_>>());
        fs::write(folder.path().join(format!("big-0000{}-of-00002.gguf", number + 1)), file).expect("written");
    }
    let models = Models::new(&config(folder.path(), &[]), &Egress::default());
    let bundled = format!("local/{BUNDLED}");
    let choice = models.list().await;
    assert_eq!(ids(&choice), ["local/b", "local/big-00001-of-00002", &bundled]);
    assert_eq!(choice.default.as_deref(), Some(bundled.as_str()), "the bundled one before others of this machine");
    let last = choice.models.last().expect("one");
    assert_eq!((last.label.as_str(), last.provider.as_str()), ("SmolLM2 135M", "On this server"));
    assert!(last.bundled && last.local && !choice.models[0].bundled);

    fs::write(folder.path().join("A new one.gguf"), chat_file()).expect("written");
    assert_eq!(ids(&models.list().await)[0], "local/A new one");
    assert_eq!(models.find("local/A new one").await.map(|(_, label)| label).as_deref(), Some("A new one"));
    fs::remove_file(folder.path().join("A new one.gguf")).expect("removed");
    assert!(models.find("local/A new one").await.is_none());
}

#[tokio::test]
async fn without_a_folder_and_providers_there_are_no_models() {
    let models = Models::new(&config(Path::new("/no/such/folder"), &[]), &Egress::default());
    assert_eq!(models.list().await, ModelChoice::default());
}

#[tokio::test]
async fn model_names_cannot_escape_the_folder() {
    let outer = folder(&["secret.gguf"]);
    let inner = outer.path().join("models");
    fs::create_dir(&inner).expect("made");
    fs::write(inner.join("a.gguf"), chat_file()).expect("written");
    let models = Models::new(&config(&inner, &[]), &Egress::default());
    assert!(models.find("local/a").await.is_some());
    let absolute = format!("local/{}", outer.path().join("secret").display());
    for id in [
        "local/../secret",
        "local/..",
        "local/",
        "local",
        "",
        "/",
        "/a",
        "local/a.gguf",
        "local/a\0",
        "other/a",
        &absolute,
    ] {
        assert!(models.find(id).await.is_none(), "{id:?}");
    }
}

#[tokio::test]
async fn the_default_model_is_the_configured_then_a_providers_then_the_bundled_one() {
    let folder = folder(&["a.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"]);
    let default = async |providers: &[(&str, &str, &[&str])], chosen: Option<&str>| {
        let config = Config { default_model: chosen.map(str::to_owned), ..config(folder.path(), providers) };
        Models::new(&config, &Egress::default()).list().await.default.expect("a default")
    };
    let provider: &[(&str, &str, &[&str])] = &[("p", "http://127.0.0.1:9/v1", &["x", "y"])];
    assert_eq!(default(provider, Some("local/a")).await, "local/a");
    assert_eq!(default(provider, Some("p/y")).await, "p/y");
    assert_eq!(default(provider, Some("p/gone")).await, "p/x", "one that is not there is passed over");
    assert_eq!(default(provider, None).await, "p/x");
    assert_eq!(default(&[], None).await, format!("local/{BUNDLED}"));
    assert_eq!(default(&[], Some("local/a")).await, "local/a");
}

#[tokio::test]
async fn the_context_of_a_providers_models_is_listed_if_it_is_configured() {
    let none = folder(&[]);
    let url = "http://127.0.0.1:9/v1";
    let mut config = config(none.path(), &[("set", url, &["x"]), ("unset", url, &["y"])]);
    config.providers[0].context = Some(128_000);
    // What is assumed for this interface if nothing is configured.
    config.providers[1].context = Some(8_192);
    let choice = Models::new(&config, &Egress::default()).list().await;
    let contexts: Vec<_> = choice.models.iter().map(|model| (model.id.as_str(), model.context.as_str())).collect();
    assert_eq!(contexts, [("set/x", "128K"), ("unset/y", "")]);
}

#[tokio::test]
async fn a_providers_model_list_is_cached() {
    let upstream = Upstream::start().await;
    upstream.set_models(&["one", "text-embedding-3", "vendor/two:8b"]);
    let none = folder(&[]);
    let models =
        Models::with_timings(&config(none.path(), &[("up", &upstream.base_url(), &[])]), &Egress::default(), TIMES);
    let before = ["up/one", "up/vendor/two:8b"];
    let (a, b, c) = tokio::join!(models.list(), models.list(), models.list());
    assert!([&a, &b, &c].iter().all(|choice| ids(choice) == before), "{a:?}");
    assert_eq!(upstream.model_list_requests(), 1);

    upstream.set_models(&["three"]);
    assert_eq!(ids(&models.list().await), before, "still fresh");
    assert_eq!(upstream.model_list_requests(), 1);
}

#[tokio::test]
async fn a_stale_model_list_is_refreshed_in_the_background() {
    let (upstream, none) = (Upstream::start().await, folder(&[]));
    let config = config(none.path(), &[("up", &upstream.base_url(), &[])]);
    let stale = ModelListTimings { ttl: Duration::ZERO, ..TIMES };
    let models = Models::with_timings(&config, &Egress::default(), stale);
    assert_eq!(ids(&models.list().await), ["up/echo"]);

    upstream.set_models(&["three"]);
    upstream.set_model_list(ModelListMode::Held);
    let last = finish("the last list, while the provider does not answer", models.list()).await;
    assert_eq!(ids(&last), ["up/echo"]);
    wait_until("the list is asked for again", async || upstream.model_list_requests() == 2).await;
    upstream.set_model_list(ModelListMode::Listed);
    wait_until("the new list is used", async || ids(&models.list().await) == ["up/three"]).await;
}

#[tokio::test]
async fn a_provider_that_does_not_respond_is_omitted_until_it_recovers() {
    let (good, slow) = (Upstream::start().await, Upstream::start().await);
    slow.set_model_list(ModelListMode::Held);
    let (none, gone) = (folder(&[]), unreachable().await);
    let providers: &[(&str, &str, &[&str])] =
        &[("slow", &slow.base_url(), &[]), ("gone", &gone, &[]), ("good", &good.base_url(), &[])];
    let impatient = ModelListTimings { retry_delay: Duration::ZERO, timeout: Duration::from_millis(300), ..TIMES };
    let models = Models::with_timings(&config(none.path(), providers), &Egress::default(), impatient);
    let others = finish("the lists of the others", models.list()).await;
    assert_eq!(ids(&others), ["good/echo"]);
    slow.set_model_list(ModelListMode::Listed);
    wait_until("it is listed", async || ids(&models.list().await) == ["slow/echo", "good/echo"]).await;
}

#[tokio::test]
async fn a_provider_that_failed_is_not_waited_for_again() {
    let (good, bad, none) = (Upstream::start().await, Upstream::start().await, folder(&[]));
    bad.set_model_list(ModelListMode::Refused);
    let providers: &[(&str, &str, &[&str])] = &[("bad", &bad.base_url(), &[]), ("good", &good.base_url(), &[])];
    let retried = ModelListTimings { retry_delay: Duration::ZERO, ..TIMES };
    let models = Models::with_timings(&config(none.path(), providers), &Egress::default(), retried);
    assert_eq!(ids(&models.list().await), ["good/echo"]);

    bad.set_model_list(ModelListMode::Held);
    let before = bad.model_list_requests();
    let others = finish("the other list, while the provider does not answer", models.list()).await;
    assert_eq!(ids(&others), ["good/echo"]);
    wait_until("the list is asked for again", async || bad.model_list_requests() > before).await;
    bad.set_model_list(ModelListMode::Listed);
    wait_until("it is listed", async || ids(&models.list().await) == ["bad/echo", "good/echo"]).await;
}

#[tokio::test]
async fn a_providers_model_is_found_while_the_provider_is_unreachable() {
    let (none, gone) = (folder(&[]), unreachable().await);
    let models = Models::with_timings(
        &config(none.path(), &[("gone", &gone, &[]), ("few", &gone, &["one"])]),
        &Egress::default(),
        TIMES,
    );
    let (model, label) = models.find("gone/vendor/any:8b").await.expect("a model");
    assert_eq!(label, "vendor/any:8b");
    assert_eq!(collect(model.answer(prompt("x"), CancellationToken::new())).await.end, Some(Err(Failure::Unreachable)));
    assert!(models.find("few/one").await.is_some());
    assert!(models.find("few/two").await.is_none(), "the operator offers only some");
    assert!(models.find("gone/\u{202E}x").await.is_none());
}

#[tokio::test]
async fn the_api_key_is_sent_only_to_its_provider() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let none = folder(&[]);
    let mut config = config(none.path(), &[("a", &first.base_url(), &[]), ("b", &second.base_url(), &[])]);
    config.providers[0].key = Some("sk-first".to_owned().into());
    let models = Models::new(&config, &Egress::default());
    for (id, upstream, key) in [("a/done", &first, Some("Bearer sk-first")), ("b/done", &second, None)] {
        let (model, _) = models.find(id).await.expect("a model");
        let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
        assert_eq!((answer.text, answer.end), (script::text(5), Some(Ok(FinishReason::Stop))));
        let received = upstream.take_received();
        assert_eq!((received[0].model.as_str(), received[0].authorization.as_deref()), ("done", key));
    }
}

#[tokio::test]
async fn the_real_model_is_found_and_kept_loaded() {
    let file = model_file();
    let models = Models::new(&config(file.parent().expect("a folder"), &[]), &Egress::default());
    let id = format!("local/{}", file.file_stem().and_then(|stem| stem.to_str()).expect("a name"));
    for loading in [true, false] {
        let (model, _) = models.find(&id).await.expect("the model");
        let answer = collect(model.answer(prompt("Say hello."), CancellationToken::new())).await;
        assert_eq!((answer.end, answer.loading), (Some(Ok(FinishReason::Stop)), loading), "{answer:?}");
    }
}

#[tokio::test]
async fn a_duplicate_model_is_listed_once() {
    let (upstream, none) = (Upstream::start().await, folder(&[]));
    upstream.set_models(&["a", "b", "a"]);
    let url = upstream.base_url();
    let models =
        Models::new(&config(none.path(), &[("all", &url, &[]), ("few", &url, &["x", "y", "x"])]), &Egress::default());
    assert_eq!(ids(&models.list().await), ["all/a", "all/b", "few/x", "few/y"]);
}
