//! What the operator sees of providers: log messages, and `colloquy check --connect`.

use std::{
    fs,
    process::{Command, Output},
    sync::atomic::Ordering,
    time::Duration,
};

use colloquy::server::{
    config::{Config, ProviderConfig, ProviderKind},
    egress::Egress,
    llm::{ModelListTimings, Models},
    telemetry,
};

use super::{
    bodies::{serve, serve_counted},
    files::chat_file,
    native::{RecordedError, json_fixture},
};
use crate::{
    http_log::LogBuffer,
    support::{
        replay::{Recording, Replay},
        upstream::Upstream,
        wait::wait_until,
    },
};

/// The log of three refreshes of a model list with this status and body.
async fn logged(status: &str, body: &str) -> String {
    let lines = LogBuffer::default();
    let writer = lines.clone();
    let _guard = tracing::subscriber::set_default(telemetry::subscriber(false, "info", move || writer.clone()));
    let (base_url, asked) = serve_counted(status, Some("application/json"), body).await;
    let mut config = Config::default();
    let (name, models) = ("house".to_owned(), Vec::new());
    config.providers.push(ProviderConfig {
        name,
        kind: ProviderKind::OpenAi,
        base_url,
        key: None,
        models,
        context: None,
        system_role: true,
    });
    let times = ModelListTimings { ttl: Duration::ZERO, retry_delay: Duration::ZERO, timeout: Duration::from_secs(20) };
    let models = Models::with_timings(&config, &Egress::default(), times);
    // When a request arrives, the result of the one before is logged.
    wait_until("the list is asked for three times", async || {
        models.list().await;
        asked.load(Ordering::SeqCst) >= 3
    })
    .await;
    let log = lines.0.lock().expect("no panic").clone();
    String::from_utf8(log).expect("text")
}

#[tokio::test(flavor = "current_thread")]
async fn a_failed_or_faulty_model_list_is_logged_once() {
    for (status, body, words) in [
        ("404 Not Found", "{}", "answered 404"),
        ("200 OK", r#"{"data":[{"id":"a"},{}]}"#, "entries without a usable name: 1"),
        ("200 OK", r#"{"data":[]}"#, "it is empty"),
        ("200 OK", r#"{"status":"ok"}"#, "holds no list"),
    ] {
        let log = logged(status, body).await;
        assert_eq!(log.matches(words).count(), 1, "{words}: {log}");
        assert!(log.contains("house") && log.contains("WARN"), "{log}");
    }
    assert_eq!(logged("200 OK", r#"{"data":[{"id":"a"}]}"#).await, "");
}

async fn check(variables: Vec<(String, String)>) -> Output {
    let run = move || {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.env_clear().envs(variables).current_dir(folder.path()).args(["check", "--connect"]);
        command.output().expect("the program runs")
    };
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

#[tokio::test]
async fn check_connect_tests_every_provider_and_file() {
    let upstream = Upstream::start().await;
    upstream.set_models(&["small", "large"]);
    let base = upstream.base_url();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("good.gguf"), chat_file()).expect("written");
    let variable = |name: &str, value: &str| (format!("COLLOQUY_{name}"), value.to_owned());
    let models = variable("LOCAL_MODELS", &folder.path().display().to_string());

    let well = vec![models.clone(), variable("PROVIDERS__GOOD__BASE_URL", &format!("{base}/chat/completions"))];
    let output = check(well).await;
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("providers.good: it answers and offers small, large.\n"), "{text}");
    assert!(text.contains("good.gguf: works."), "{text}");

    fs::write(folder.path().join("half.gguf"), &chat_file()[..90]).expect("written");
    let gone = serve("404 Not Found", Some("text/plain"), "404 page not found").await;
    let refused = serve("401 Unauthorized", None, r#"{"error":{"code":"invalid_api_key"}}"#).await;
    // Without a list of models, but with completions.
    let unlisted = format!("{}/unlisted", base.trim_end_matches("/v1"));
    let ill = vec![
        models,
        variable("PROVIDERS__BARE__BASE_URL", base.trim_end_matches("/v1")),
        variable("PROVIDERS__FEW__BASE_URL", &base),
        variable("PROVIDERS__FEW__MODELS", "small,medium"),
        variable("PROVIDERS__GONE__BASE_URL", &gone),
        variable("PROVIDERS__LOST__BASE_URL", &gone),
        variable("PROVIDERS__LOST__MODELS", "small"),
        variable("PROVIDERS__MUTE__BASE_URL", &format!("{unlisted}/v1")),
        variable("PROVIDERS__MUTE__MODELS", "small"),
        variable("PROVIDERS__UNNAMED__BASE_URL", &format!("{unlisted}/v1")),
        variable("PROVIDERS__SHUT__BASE_URL", &refused),
        variable("PROVIDERS__SHUT__KEY", "sk-CaNaRy"),
    ];
    let output = check(ill).await;
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        &format!("providers.bare: there is nothing at {0}. Set `base_url` to {0}/v1", base.trim_end_matches("/v1")),
        "providers.few: it answers and offers small. Not in its list: medium.",
        "providers.gone: it doesn't list its models",
        "the provider answered 404",
        "providers.lost: it doesn't list its models",
        "providers.mute: it accepts requests, but has no model list (the provider answered 404).",
        "It accepts requests: list its models in `models`.",
        "providers.shut: it doesn't list its models",
        "The provider rejected the API key.",
        "invalid_api_key",
        "half.gguf: can't be used: it ends within its header.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("CaNaRy"), "{text}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("7 of these don't work."), "{text}");
}

#[tokio::test]
async fn check_connect_tests_native_interfaces() {
    let list = json_fixture("anthropic/models.json");
    let claude = Replay::start([("/v1/models", Recording::json(200, &list))]).await;
    let refused = json_fixture::<Vec<RecordedError>>("anthropic/errors.json").remove(0);
    let shut = Replay::start([("/v1/models", Recording::json(refused.status, &refused.body))]).await;
    let tags = json_fixture("ollama/tags.json");
    let models = json_fixture("gemini/models.json");
    let gemini = Replay::start([("/v1beta/models", Recording::json(200, &models))]).await;
    let ollama = Replay::start([("/api/tags", Recording::json(200, &tags))]).await;
    let variable = |name: &str, value: &str| (format!("COLLOQUY_PROVIDERS__{name}"), value.to_owned());
    let output = check(vec![
        variable("CLAUDE__KIND", "anthropic"),
        variable("CLAUDE__BASE_URL", &format!("{}/v1/messages", claude.url())),
        variable("GEMINI__KIND", "gemini"),
        variable("GEMINI__BASE_URL", &gemini.url()),
        variable("OLLAMA__KIND", "ollama"),
        variable("OLLAMA__BASE_URL", &ollama.url()),
        variable("SHUT__KIND", "anthropic"),
        variable("SHUT__BASE_URL", &shut.url()),
        variable("SHUT__KEY", "sk-CaNaRy"),
    ])
    .await;
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "providers.claude: it answers and offers claude-opus-4-6.\n",
        "providers.gemini: it answers and offers gemini-2.0-flash-thinking-exp-1219, learnlm-1.5-pro-experimental.\n",
        "providers.ollama: it answers and offers deepseek-r1:latest, llama3.2:latest.\n",
        &format!(
            "providers.shut: it doesn't list its models at {}/v1/models: The provider rejected the API key.",
            shut.url()
        ),
        "authentication_error",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("CaNaRy"), "{text}");
}
