//! Tests of parsing and validation.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::PathBuf};

use secrecy::ExposeSecret;

use super::*;

struct Given {
    folder: tempfile::TempDir,
    variables: Vec<(OsString, OsString)>,
}

fn given(file: &str, variables: &[(&str, &str)]) -> Given {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("colloquy.toml"), file).expect("our file");
    Given { folder, variables: variables.iter().map(|(name, value)| (name.into(), value.into())).collect() }
}

impl Given {
    fn path(&self) -> PathBuf {
        self.folder.path().join("colloquy.toml")
    }

    fn load(&self) -> Result<Loaded, ConfigErrors> {
        load(Some(&self.path()), self.variables.iter().cloned())
    }

    fn errors(&self) -> Vec<ConfigError> {
        self.load().expect_err("it has errors").0
    }
}

fn keys(errors: &[ConfigError]) -> Vec<&str> {
    errors.iter().map(|error| error.key.as_str()).collect()
}

/// All keys outside of lists of tables.
fn known_keys() -> Vec<String> {
    let settings = given("", &[]).load().expect("a valid configuration").settings;
    settings.into_iter().map(|setting| setting.key).collect()
}

#[test]
fn defaults_apply_if_nothing_is_set() {
    let loaded = given("", &[]).load().expect("a valid configuration");
    assert_eq!(loaded.config.listen.to_string(), "127.0.0.1:3000");
    assert!(!loaded.config.sign_up_open);
    assert!(loaded.config.providers.is_empty());
    assert_eq!(loaded.config.local.models, PathBuf::from("./data/models"));
    assert!(loaded.settings.iter().all(|setting| setting.origin == Origin::Default));
}

#[test]
fn every_key_is_read_from_the_file_and_its_origin_is_known() {
    let file = r#"
        listen = "0.0.0.0:8080"
        url = "https://Chat.Example.org:443/"
        data = "/tmp/colloquy-test-data"
        database_url = "postgres://u:p@h/d"
        redis_url = "redis://h"
        secrets_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        require_second_factor = "administrators"
        sign_up = "domains"
        sign_up_domains = ["Example.org", "example.com"]
        trusted_proxies = ["10.0.0.1", "::ffff:10.0.0.2"]
        connections = 100
        answers_per_person = 4
        titles = "first-words"
        default_model = "ollama/qwen3:8b"
        factor_removal_wait = "12h"
        audit_days = 90
        retention_days = 400
        operator_name = "Ada"
        operator_contact = "ada@example.org"
        log = { format = "json", filter = "info,colloquy=debug" }
        [sessions]
        idle = "1d"
        absolute = 172800
        administrator_idle = "10m"
        administrator_absolute = "8h"
        remembered = "3d"
        [mail]
        smtp_url = "smtps://user:pass%20word@mail.example.org"
        from = "Colloquy <chat@example.org>"
        [egress]
        allowed_networks = ["10.1.2.3/8", "fd00:1::/32"]
        [local]
        models = "/tmp"
        idle_minutes = 5
        threads = 2
        context = 1024
        program = "/bin/sh"
        [[providers]]
        name = "ollama"
        kind = "openai"
        base_url = "http://127.0.0.1:11434/v1/"
        key = "k"
        models = ["qwen3:8b"]
        context = 4096
        system_role = false
    "#;
    let given = given(file, &[]);
    let Loaded { config, settings, .. } = given.load().expect("a valid configuration");
    assert_eq!(config.url, Some(PublicUrl { https: true, host: "chat.example.org".into() }));
    assert_eq!(config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1", "10.0.0.2"]);
    assert_eq!(
        (config.sessions.idle, config.sessions.absolute, config.sessions.remembered),
        (86_400, 172_800, 259_200)
    );
    assert_eq!((config.sessions.administrator_idle, config.sessions.administrator_absolute), (600, 28_800));
    assert_eq!((config.factor_removal_wait, config.audit_days, config.retention_days), (43_200, 90, Some(400)));
    assert_eq!((config.connections, config.answers_per_person), (100, 4));
    assert_eq!(config.titles, Titles::FirstWords);
    assert_eq!(config.operator_name.as_deref(), Some("Ada"));
    assert_eq!(config.operator_contact.as_deref(), Some("ada@example.org"));
    assert_eq!(config.log.json, Some(true));
    assert_eq!(config.require_second_factor, SecondFactorRequirement::Administrators);
    let key = config.secrets_key.as_ref().and_then(key_bytes).expect("a key");
    assert_eq!((key[0], key[31]), (0, 31));
    assert_eq!(
        (config.sign_up_open, config.sign_up_domains),
        (false, vec!["example.org".into(), "example.com".into()])
    );
    let networks: Vec<String> = config.egress.allowed_networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "fd00:1::/32"]);
    assert_eq!(config.mail.map(|mail| mail.from).as_deref(), Some("Colloquy <chat@example.org>"));
    assert_eq!(config.providers[0].base_url, "http://127.0.0.1:11434/v1");
    assert_eq!(config.providers[0].key.as_ref().map(ExposeSecret::expose_secret), Some("k"));
    assert_eq!((config.providers[0].context, config.local.context), (Some(4_096), Some(1_024)));
    assert!(!config.providers[0].system_role);
    for setting in settings {
        assert_eq!(setting.origin, Origin::File(given.path()), "{}", setting.key);
    }
}

#[test]
fn variables_override_the_file() {
    let file = "listen = \"127.0.0.1:1\"\n[[providers]]\nname = \"my-host\"\nbase_url = \"http://a/v1\"\n";
    let loaded = given(
        file,
        &[
            ("COLLOQUY_LISTEN", "127.0.0.1:2"),
            ("COLLOQUY_SIGN_UP", "open"),
            ("COLLOQUY_LOG_FORMAT", "text"),
            ("COLLOQUY_LOG_FILTER", "warn"),
            ("COLLOQUY_TRUSTED_PROXIES", "10.0.0.1, fd00::2"),
            ("COLLOQUY_SESSIONS_IDLE", "2h"),
            ("COLLOQUY_LOCAL_THREADS", "3"),
            ("COLLOQUY_DEFAULT_MODEL", "ollama/x"),
            ("COLLOQUY_URL", ""),
            ("COLLOQUY_PROVIDERS__OLLAMA__BASE_URL", "http://o/v1"),
            ("COLLOQUY_PROVIDERS__OLLAMA__MODELS", "x, y"),
            ("COLLOQUY_PROVIDERS__OLLAMA__CONTEXT", "512"),
            ("COLLOQUY_PROVIDERS__MY_HOST__KEY", "secret"),
            ("DATABASE_URL", "postgres://common/d"),
            ("REDIS_URL", "redis://common"),
            ("COLLOQUY_DATABASE_URL", "postgres://ours/d"),
            ("HOME", "/root"),
        ],
    );
    let Loaded { config, settings, .. } = loaded.load().expect("a valid configuration");
    assert_eq!(config.listen.port(), 2);
    assert_eq!(
        (config.url, config.log.json, config.sessions.idle, config.local.threads),
        (None, Some(false), 7_200, 3)
    );
    assert_eq!(config.trusted_proxies.len(), 2);
    let names: Vec<_> = config.providers.iter().map(|provider| provider.name.as_str()).collect();
    assert_eq!(names, ["my-host", "ollama"]);
    assert_eq!(config.providers[0].key.as_ref().map(ExposeSecret::expose_secret), Some("secret"));
    assert_eq!(config.providers[1].models, ["x", "y"]);
    assert_eq!(config.database_url.as_ref().map(ExposeSecret::expose_secret), Some("postgres://ours/d"));
    let origin = |key: &str| settings.iter().find(|setting| setting.key == key).map(|found| found.origin.to_string());
    assert_eq!(origin("listen").as_deref(), Some("COLLOQUY_LISTEN"));
    assert_eq!(origin("redis_url").as_deref(), Some("REDIS_URL"));
    assert_eq!(origin("providers.my-host.key").as_deref(), Some("COLLOQUY_PROVIDERS__MY_HOST__KEY"));
    assert_eq!(origin("url").as_deref(), Some("default"));
}

#[test]
fn all_errors_are_reported_with_key_and_remedy() {
    let file = r#"
        lisen = "x"
        url = "chat.example.org"
        sign_up = "maybe"
        connections = "many"
        trusted_proxies = ["10.0.0.0/8"]
        default_model = "nobody/x"
        [logs]
        format = "json"
        [log]
        filter = "=,="
        [sessions]
        idle = "40d"
        administrator_idle = "2d"
        remembered = 5
        [[providers]]
        name = "local"
        bas_url = "http://a"
        [[providers]]
        base_url = "http://a"
    "#;
    let errors = given(
        file,
        &[
            ("COLLOQUY_LISTEN", "localhost"),
            ("COLLOQUY_LOCAL_TREADS", "1"),
            ("COLLOQUY_PROVIDERS__A__URL", "http://a"),
            ("DATABASE_URL", "mysql://h/d"),
        ],
    )
    .errors();
    let mut found = keys(&errors);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "COLLOQUY_LOCAL_TREADS",
            "COLLOQUY_PROVIDERS__A__URL",
            "connections",
            "database_url",
            "default_model",
            "lisen",
            "listen",
            "log.filter",
            "logs.format",
            "providers.local.bas_url",
            "providers.local.base_url",
            "providers.local.name",
            "providers[1].name",
            "sessions.administrator_idle",
            "sessions.idle",
            "sessions.remembered",
            "sign_up",
            "trusted_proxies",
            "url",
        ]
    );
    for error in &errors {
        assert!(error.problem.ends_with('.') && error.remedy.ends_with('.'), "{error}");
    }
    let remedy = |key: &str| errors.iter().find(|error| error.key == key).map(|error| error.remedy.clone());
    assert_eq!(remedy("lisen").as_deref(), Some("Did you mean `listen`? Otherwise remove it."));
    assert_eq!(remedy("logs.format").as_deref(), Some("Did you mean `log.format`? Otherwise remove it."));
    assert_eq!(remedy("providers.local.bas_url").as_deref(), Some("Did you mean `base_url`? Otherwise remove it."));
    assert_eq!(
        remedy("COLLOQUY_LOCAL_TREADS").as_deref(),
        Some("Did you mean `COLLOQUY_LOCAL_THREADS`? Otherwise remove it.")
    );
}

#[test]
fn secrets_are_never_printed() {
    let canary = "CaNaRy";
    let good = given(
        &format!("[[providers]]\nname = \"a\"\nbase_url = \"http://a\"\nkey = \"{canary}\"\n"),
        &[
            ("DATABASE_URL", &format!("postgres://u:{canary}@h/d")),
            ("REDIS_URL", &format!("redis://:{canary}@h")),
            ("COLLOQUY_MAIL_SMTP_URL", &format!("smtps://u:{canary}@h")),
            ("COLLOQUY_MAIL_FROM", "chat@example.org"),
        ],
    );
    let loaded = good.load().expect("a valid configuration");
    assert!(!format!("{loaded:?}").contains(canary), "{loaded:?}");
    assert!(loaded.settings.iter().all(|setting| !setting.value.contains(canary)));

    let broken = [
        (format!("redis_url = \"{canary}"), vec![]),
        (format!("database_url = \"{canary}\"\nurl = \"https://u:{canary}@h\""), vec![]),
        (format!("[[providers]]\nname = \"a\"\nbase_url = \"http://u:{canary}@a/v1\"\nkey = [\"{canary}\"]"), vec![]),
        (format!("[[providers]]\nname = \"a\"\nbase_url = \"ftp://u:{canary}@a/v1\""), vec![]),
        (format!("[mail]\nsmtp_url = \"smtp://u:{canary}@h\"\nfrom = \"a@b.org\""), vec![]),
        (String::new(), vec![("REDIS_URL", "http://CaNaRy@h"), ("COLLOQUY_PROVIDERS__A__KEY", "CaNaRy\n")]),
    ];
    for (file, variables) in broken {
        let errors = given(&file, &variables).load().expect_err("it has errors");
        assert!(!errors.to_string().contains(canary) && !format!("{errors:?}").contains(canary), "{errors}");
    }
}

#[test]
fn k03_a_key_of_the_wrong_length_is_an_error_without_its_value() {
    let (short, zeros) = ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", "A".repeat(43) + "=");
    for bad in [short, zeros.as_str(), "CaNaRy", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI="] {
        let errors = given("", &[("COLLOQUY_SECRETS_KEY", bad)]).errors();
        assert_eq!(keys(&errors), ["secrets_key"]);
        assert!(!errors[0].to_string().contains(bad) && errors[0].problem.contains("32 bytes"), "{}", errors[0]);
    }
    let good = given("", &[("COLLOQUY_SECRETS_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]);
    assert!(!format!("{:?}", good.load().expect("a valid configuration")).contains("AAECAwQF"));
}

#[test]
fn smtp_requires_tls_or_loopback() {
    let load = |url: &str, from: &str| given(&format!("[mail]\nsmtp_url = {url:?}\nfrom = {from:?}\n"), &[]).load();
    for good in [
        "smtps://u:p@mail.example.org",
        "smtps://mail.example.org:465",
        "smtp://u:p%40w@mail.example.org:587?tls=required",
        "smtp://127.0.0.1:2525",
        "smtp://localhost",
        "smtp://[::1]:25",
    ] {
        assert!(load(good, "chat@example.org").is_ok_and(|loaded| loaded.config.mail.is_some()), "{good}");
    }
    for bad in [
        "mail.example.org",
        "http://mail.example.org",
        "smtp://mail.example.org",
        "smtp://u:p@mail.example.org:587",
        "smtp://127.0.0.1.example.org",
        "smtp://mail.example.org?tls=opportunistic",
        "smtps://mail.example.org?tls=none",
        "smtps://u@mail.example.org",
        "smtps://mail.example.org/x",
        "smtps://",
        "smtps://u:p@",
        "smtps://u:p#w@mail.example.org",
    ] {
        assert_eq!(keys(&load(bad, "chat@example.org").expect_err(bad).0), ["mail.smtp_url"], "{bad}");
    }
    for bad in ["chat", "Colloquy <chat>", "a@b.org, c@d.org", "Colloquy chat@example.org", "<>"] {
        assert_eq!(keys(&load("smtp://localhost", bad).expect_err(bad).0), ["mail.from"], "{bad}");
    }
    assert_eq!(keys(&given("mail.from = \"a@b.org\"", &[]).errors()), ["mail.smtp_url"]);
    assert_eq!(keys(&given("mail.smtp_url = \"smtp://localhost\"", &[]).errors()), ["mail.from"]);
}

#[test]
fn sign_up_domains_require_mail_and_the_keyword() {
    let mail = "[mail]\nsmtp_url = \"smtp://localhost\"\nfrom = \"a@b.org\"\n";
    let errors = |file: &str| keys(&given(file, &[]).errors()).join(" ");
    assert_eq!(errors("sign_up = \"domains\"\nsign_up_domains = [\"b.org\"]\n"), "sign_up");
    assert_eq!(errors(&format!("sign_up = \"domains\"\n{mail}")), "sign_up_domains");
    assert_eq!(errors("sign_up = \"open\"\nsign_up_domains = [\"b.org\"]\n"), "sign_up_domains");
    assert_eq!(errors(&format!("sign_up = \"domains\"\nsign_up_domains = [\"@b.org\"]\n{mail}")), "sign_up_domains");
}

#[test]
fn o02_links_use_the_configured_url() {
    let base = |file: &str| given(file, &[]).load().expect("a valid configuration").config.base_url();
    assert_eq!(base("url = \"https://chat.example.org\""), "https://chat.example.org");
    assert_eq!(base("listen = \"127.0.0.1:3100\""), "http://127.0.0.1:3100");
    assert_eq!(base("listen = \"[::]:3100\""), "http://localhost:3100");
}

#[test]
fn invalid_and_missing_files_are_errors() {
    let broken = given("listen = \"127.0.0.1:1\"\nthis is not TOML\n", &[]);
    let errors = broken.errors();
    assert!(errors[0].problem.contains("Line 2"), "{}", errors[0]);

    let missing = broken.folder.path().join("missing.toml");
    let errors = load(Some(&missing), std::iter::empty()).expect_err("it is not there").0;
    assert_eq!(keys(&errors), [missing.display().to_string()]);
}

#[test]
fn odd_values_are_errors_and_do_not_panic() {
    let mut odd = given("", &[]);
    odd.variables.push(("COLLOQUY_DATA".into(), OsString::from_vec(vec![0xff, b'x'])));
    assert_eq!(keys(&odd.errors()), ["COLLOQUY_DATA"]);

    let values = ["\"\"", "\"\\u0000\"", "{}", "[]", "[1]", "1e400", "-1", "nan", "1979-05-27", "true", "99999999999"];
    for key in known_keys() {
        for value in values {
            // Most are errors; none may panic.
            let _ = given(&format!("{key} = {value}\n"), &[]).load();
        }
    }
    for file in
        ["providers = 1", "providers = [1]", "[providers]\nname = \"a\"", "[providers.a]\nbase_url = \"http://a\""]
    {
        assert!(given(file, &[]).errors().iter().any(|error| error.key.starts_with("providers")), "{file}");
    }
    let file = "data = \"/etc/passwd\"\n[local]\nprogram = \"/nowhere/at/all\"\n";
    assert_eq!(keys(&given(file, &[]).errors()), ["data", "local.program"]);
}

#[test]
fn allowed_networks_are_networks() {
    let given = |value: &str| given("", &[("COLLOQUY_EGRESS_ALLOWED_NETWORKS", value)]);
    for none in ["10.0.0.2", "10.0.0.0/33", "example.org", "10.0.0.0/8,", "all"] {
        assert_eq!(keys(&given(none).errors()), ["egress.allowed_networks"], "{none}");
    }
    let networks = given("10.0.0.2/32, fd00::/8").load().expect("a valid configuration").config.egress.allowed_networks;
    assert_eq!(networks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.2/32", "fd00::/8"]);
}

#[test]
fn duplicate_provider_names_are_errors() {
    let file =
        "[[providers]]\nname=\"a-b\"\nbase_url=\"http://a\"\n[[providers]]\nname=\"a_b\"\nbase_url=\"http://b\"\n";
    assert_eq!(keys(&given(file, &[]).errors()), ["providers[1].name"]);
}

/// The documentation must list each key and its variable.
#[test]
fn the_documentation_names_every_key() {
    let text = include_str!("../../../docs/configuration.md");
    for key in known_keys() {
        let variable = raw::variable(&key);
        assert!(text.contains(&format!("`{key}`")), "{key}");
        assert!(text.contains(&format!("`{variable}`")), "{variable}");
    }
}

#[test]
fn identity_providers_are_read_from_the_file_and_from_variables() {
    let file = r#"
        [[identity_providers]]
        name = "google"
        preset = "google"
        client_id = "id-1"
        [[identity_providers]]
        name = "my-home"
        label = "The house"
        issuer = "http://127.0.0.1:9000/realm/"
        client_id = "id-2"
        client_secret = "two"
        sign_up = false
    "#;
    let given = given(file, &[("COLLOQUY_IDENTITY_PROVIDERS__GOOGLE__CLIENT_SECRET", "one")]);
    let Loaded { config, settings, .. } = given.load().expect("a valid configuration");
    let [google, house] = &config.identity_providers[..] else { panic!("two providers") };
    assert_eq!((google.issuer.as_str(), google.label.as_str()), ("https://accounts.google.com", "Google"));
    assert_eq!(
        (google.client_id.as_str(), google.client_secret.expose_secret(), google.sign_up),
        ("id-1", "one", true)
    );
    assert_eq!((house.issuer.as_str(), house.label.as_str()), ("http://127.0.0.1:9000/realm/", "The house"));
    assert!(!house.sign_up);
    assert!(settings.iter().all(|setting| setting.value != "one" && setting.value != "two"), "secrets are masked");
    assert_eq!(config.origin(), "http://127.0.0.1:3000");
}

#[test]
fn invalid_identity_providers_are_reported_with_a_remedy() {
    let table = |name: &str, rest: &str| format!("[[identity_providers]]\nname = \"{name}\"\n{rest}\n");
    let whole = "issuer = \"https://a.example\"\nclient_id = \"i\"\nclient_secret = \"s\"";
    let cases = [
        (table("Big", whole), "identity_providers.Big.name"),
        (table("a_b", whole), "identity_providers.a_b.name"),
        (table("a", "client_id = \"i\"\nclient_secret = \"s\""), "identity_providers.a.issuer"),
        (table("a", "preset = \"google\"\nclient_secret = \"s\""), "identity_providers.a.client_id"),
        (table("a", "preset = \"google\"\nclient_id = \"i\""), "identity_providers.a.client_secret"),
        (table("a", &whole.replace("https", "http")), "identity_providers.a.issuer"),
        (table("a", &whole.replace("a.example", "u:p@a.example")), "identity_providers.a.issuer"),
        (table("a", &whole.replace("a.example", "a.example/?x=1")), "identity_providers.a.issuer"),
        (table("a", &format!("{whole}\nsign_up = 1")), "identity_providers.a.sign_up"),
        (table("a", &format!("{whole}\npreset = \"gogle\"")), "identity_providers.a.preset"),
        (table("a", &format!("{whole}\nlabels = \"x\"")), "identity_providers.a.labels"),
        (format!("{}{}", table("a", whole), table("a", whole)), "identity_providers[1].name"),
        (format!("listen = \"0.0.0.0:3000\"\n{}", table("a", whole)), "identity_providers.a.name"),
        ("identity_providers = 1".to_owned(), "identity_providers"),
    ];
    for (file, key) in cases {
        let errors = given(&file, &[]).errors();
        assert_eq!(keys(&errors), [key], "{file}");
        assert!(!errors[0].remedy.is_empty());
    }
    let open = format!("listen = \"0.0.0.0:3000\"\nurl = \"https://chat.example.org\"\n{}", table("a", whole));
    assert_eq!(given(&open, &[]).load().expect("a valid configuration").config.origin(), "https://chat.example.org");
}

#[test]
fn base_urls_are_normalised_and_doubtful_ones_get_a_hint() {
    for (written, base, has_hint) in [
        ("http://a/v1", "http://a/v1", false),
        ("http://a/v1///", "http://a/v1", false),
        ("http://a/v1/chat/completions", "http://a/v1", false),
        ("http://a/v1/chat/completions/", "http://a/v1", false),
        ("http://a/v1/models", "http://a/v1", false),
        (" http://a/openai/v1/completions ", "http://a/openai/v1", false),
        ("https://a/v1beta/openai/", "https://a/v1beta/openai", false),
        ("http://a:11434", "http://a:11434", true),
        ("http://a:11434/", "http://a:11434", true),
        ("http://a:11434/api", "http://a:11434/api", true),
        ("https://a/chat/completions", "https://a", true),
    ] {
        let file = format!("[[providers]]\nname = \"p\"\nbase_url = \"{written}\"\n");
        let loaded = given(&file, &[]).load().expect("a valid configuration");
        assert_eq!(loaded.config.providers[0].base_url, base, "{written}");
        assert_eq!(!loaded.hints.is_empty(), has_hint, "{written}: {:?}", loaded.hints);
        assert!(loaded.hints.iter().all(|hint| hint.contains("/v1")), "{:?}", loaded.hints);
    }
}

#[test]
fn native_interfaces_have_an_address_and_add_their_paths_themselves() {
    for (kind, written, base) in [
        ("anthropic", None, "https://api.anthropic.com"),
        ("anthropic", Some("https://api.anthropic.com/v1"), "https://api.anthropic.com"),
        ("anthropic", Some("https://api.anthropic.com/v1/messages"), "https://api.anthropic.com"),
        ("anthropic", Some("http://gateway.lan/anthropic/"), "http://gateway.lan/anthropic"),
        ("ollama", None, "http://127.0.0.1:11434"),
        ("ollama", Some("http://gpu.lan:11434/v1"), "http://gpu.lan:11434"),
        ("ollama", Some("http://gpu.lan:11434/api/"), "http://gpu.lan:11434"),
        ("gemini", None, "https://generativelanguage.googleapis.com/v1beta"),
        ("gemini", Some("http://gateway.lan"), "http://gateway.lan/v1beta"),
        ("gemini", Some("https://a/v1beta/openai/"), "https://a/v1beta"),
        ("gemini", Some("https://a/v1/models"), "https://a/v1"),
    ] {
        let written = written.map(|url| format!("base_url = \"{url}\"\n")).unwrap_or_default();
        let loaded = given(&format!("[[providers]]\nname = \"p\"\nkind = \"{kind}\"\n{written}"), &[]).load();
        let loaded = loaded.expect("a valid configuration");
        assert_eq!(loaded.config.providers[0].base_url, base, "{kind}: {written}");
        assert!(loaded.hints.is_empty(), "{:?}", loaded.hints);
    }
    let variables = [("COLLOQUY_PROVIDERS__CLAUDE__KIND", "anthropic")];
    let provider = given("", &variables).load().expect("a valid configuration").config.providers.remove(0);
    assert_eq!((provider.name.as_str(), provider.kind), ("claude", ProviderKind::Anthropic));

    let errors = given("[[providers]]\nname = \"p\"\nkind = \"claude\"\nbase_url = \"http://a/v1\"\n", &[]).errors();
    assert_eq!(keys(&errors), ["providers.p.kind"]);
    assert!(errors[0].remedy.contains("`anthropic`"), "{}", errors[0].remedy);
}
