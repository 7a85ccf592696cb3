//! Loads and validates the configuration, and reports all errors at once.

use std::{ffi::OsString, path::Path};

use secrecy::SecretString;

use super::{
    Config, DEFAULT_FILE, LocalConfig, LogConfig, MailConfig, PROVIDER_CONTEXT, ProviderConfig, ProviderKind,
    SecondFactorRequirement, SessionConfig, Titles,
    error::{ConfigError, ConfigErrors, Origin, Setting},
    raw::{KnownKeys, Raw, RawConfig, RawEntry, Values},
    values::{self, InvalidValue},
};

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration in effect.
    pub config: Config,
    /// All values for display, in the order of the documentation, with their origins. Secrets are masked.
    pub settings: Vec<Setting>,
    /// Warnings about values that are valid but probably not intended, one or two sentences each.
    pub hints: Vec<String>,
}

/// Loads the configuration: defaults, then `file` (or `colloquy.toml` in the working directory if it exists), then
/// `variables` (the environment).
///
/// # Errors
/// All errors at once.
pub fn load(
    file: Option<&Path>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigErrors> {
    let mut errors = Vec::new();
    let keys = known_keys();
    let mut raw_config = RawConfig::new(&keys);
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => raw_config.add_file(path, &text, &mut errors),
        Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => errors.push(ConfigError {
            key: path.display().to_string(),
            origin: Origin::File(path.to_owned()),
            problem: format!("The file cannot be read ({error})."),
            remedy: "Check its name and its permissions.".to_owned(),
        }),
    }
    raw_config.add_environment(variables, &mut errors);

    let mut reader = Reader { values: raw_config.values, errors, ..Reader::default() };
    let mut config = reader.config(Config::default());
    for (name, values) in raw_config.providers {
        config.providers.extend(reader.provider(name, values));
    }
    for (name, values) in raw_config.identity_providers {
        config.identity_providers.extend(reader.identity_provider(name, values, &config));
    }
    reader.validate(&config);
    if !reader.errors.is_empty() {
        return Err(ConfigErrors(reader.errors));
    }
    let hints = config.providers.iter().filter_map(|provider| {
        let hint = values::base_url_hint(provider)?;
        Some(format!("providers.{}.base_url: {hint}", provider.name))
    });
    let hints = hints.collect();
    Ok(Loaded { config, settings: reader.settings, hints })
}

/// The keys that the reader asks for. So a key is declared where it is read, together with its default, its parser and
/// how it is shown.
fn known_keys() -> KnownKeys {
    let keys = |prefix: &str, read: fn(&mut Reader)| {
        let mut reader = Reader::default();
        read(&mut reader);
        let key = |setting: Setting| setting.key.strip_prefix(prefix).unwrap_or_default().to_owned();
        reader.settings.into_iter().map(key).collect()
    };
    KnownKeys {
        values: keys("", |reader| drop(reader.config(Config::default()))),
        providers: keys("providers.x.", |reader| drop(reader.provider("x".to_owned(), Values::new()))),
        identity_providers: keys("identity_providers.x.", |reader| {
            drop(reader.identity_provider("x".to_owned(), Values::new(), &Config::default()));
        }),
    }
}

/// Parses the values of a table, and collects errors and the values in effect.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) values: Values,
    /// `providers.NAME.` while a provider is read.
    pub(super) prefix: String,
    pub(super) errors: Vec<ConfigError>,
    settings: Vec<Setting>,
}

impl Reader {
    /// Replaces the defaults with the values that are set, in the order of the documentation.
    fn config(&mut self, mut c: Config) -> Config {
        c.listen = self.read("listen", c.listen, values::listen, show);
        c.url = self.read("url", c.url, some(values::public_url), |url| {
            url.as_ref().map_or_else(unset, super::PublicUrl::origin)
        });
        c.data = self.read("data", c.data, values::folder, |path| show_path(path));
        let postgres = |raw: &Raw| values::secret_url(raw, &["postgres", "postgresql"]);
        c.database_url = self.read("database_url", c.database_url, some(postgres), masked);
        let redis = |raw: &Raw| values::secret_url(raw, &["redis", "rediss"]);
        c.redis_url = self.read("redis_url", c.redis_url, some(redis), masked);
        c.secrets_key = self.read("secrets_key", c.secrets_key, some(values::key), masked);
        let choices = [
            ("nobody", SecondFactorRequirement::Optional),
            ("administrators", SecondFactorRequirement::Administrators),
            ("everybody", SecondFactorRequirement::Everyone),
        ];
        c.require_second_factor = self.read_choice("require_second_factor", c.require_second_factor, &choices);
        (c.sign_up_open, c.sign_up_domains) = self.sign_up();
        c.trusted_proxies = self.read("trusted_proxies", c.trusted_proxies, values::addresses, |list| show_list(list));
        c.connections = self.read("connections", c.connections, |raw| values::number(raw, 16, 1_000_000), show);
        c.answers_per_person =
            self.read("answers_per_person", c.answers_per_person, |raw| values::number(raw, 1, 200), show);
        c.default_model = self.read("default_model", c.default_model, some(values::text), show_option);
        let choices = [("model", Titles::Model), ("any-model", Titles::AnyModel), ("first-words", Titles::FirstWords)];
        c.titles = self.read_choice("titles", c.titles, &choices);
        c.log = self.log(c.log);
        c.sessions = self.sessions(c.sessions);
        c.mail = self.mail();
        c.egress.allowed_networks =
            self.read("egress.allowed_networks", c.egress.allowed_networks, values::networks, |list| show_list(list));
        c.local = self.local(c.local, &c.data);
        c.factor_removal_wait = self.read("factor_removal_wait", c.factor_removal_wait, values::seconds, show_seconds);
        c.audit_days = self.read("audit_days", c.audit_days, |raw| values::number(raw, 30, 36_500), show);
        let days = |raw: &Raw| values::number(raw, 1, 36_500);
        c.retention_days = self.read("retention_days", c.retention_days, some(days), show_option);
        c.operator_name = self.read("operator_name", c.operator_name, some(values::text), show_option);
        c.operator_contact = self.read("operator_contact", c.operator_contact, some(values::text), show_option);
        c
    }

    fn log(&mut self, d: LogConfig) -> LogConfig {
        let choices = [("auto", None), ("text", Some(false)), ("json", Some(true))];
        LogConfig {
            json: self.read_choice("log.format", d.json, &choices),
            filter: self.read("log.filter", d.filter, values::filter, Clone::clone),
        }
    }

    fn sessions(&mut self, d: SessionConfig) -> SessionConfig {
        SessionConfig {
            idle: self.read("sessions.idle", d.idle, values::seconds, show_seconds),
            absolute: self.read("sessions.absolute", d.absolute, values::seconds, show_seconds),
            administrator_idle: self.read(
                "sessions.administrator_idle",
                d.administrator_idle,
                values::seconds,
                show_seconds,
            ),
            administrator_absolute: self.read(
                "sessions.administrator_absolute",
                d.administrator_absolute,
                values::seconds,
                show_seconds,
            ),
            remembered: self.read("sessions.remembered", d.remembered, values::seconds, show_seconds),
        }
    }

    /// Whether sign-up is open, and the domains to which it is restricted.
    fn sign_up(&mut self) -> (bool, Vec<String>) {
        let choices = [("closed", "closed"), ("open", "open"), ("domains", "domains")];
        let word = self.read_choice("sign_up", "closed", &choices);
        let domains = self.read("sign_up_domains", Vec::new(), values::domains, |list| show_list(list));
        let faulty = |key| self.errors.iter().any(|error| error.key == key);
        if !faulty("sign_up") && !faulty("sign_up_domains") {
            if word == "domains" && domains.is_empty() {
                let problem = "It is missing, although `sign_up` is `domains`.".to_owned();
                let remedy = "List the domains, for example [\"example.org\"].";
                self.add_error("sign_up_domains", self.origin_of("sign_up"), problem, remedy);
            } else if word != "domains" && !domains.is_empty() {
                let problem = format!("It has no effect while `sign_up` is `{word}`.");
                let remedy = "Set `sign_up` to `domains`, or remove it.";
                self.add_error("sign_up_domains", self.origin_of("sign_up_domains"), problem, remedy);
            }
        }
        (word == "open", if word == "domains" { domains } else { Vec::new() })
    }

    /// The mail settings: both values or neither.
    fn mail(&mut self) -> Option<MailConfig> {
        let smtp_url = self.read("mail.smtp_url", None, some(values::smtp_url), masked);
        let from = self.read("mail.from", None, some(values::mailbox), show_option);
        let known = |key: &str| self.errors.iter().any(|error| error.key == key);
        let (url_is_wrong, from_is_wrong) = (known("mail.smtp_url"), known("mail.from"));
        match (smtp_url, from) {
            (Some(smtp_url), Some(from)) => return Some(MailConfig { smtp_url, from }),
            (Some(_), None) if !from_is_wrong => {
                let problem = "It is missing, although `mail.smtp_url` is set.".to_owned();
                let remedy = "Add the sender, for example \"Colloquy <chat@example.org>\".";
                self.add_error("mail.from", self.origin_of("mail.smtp_url"), problem, remedy);
            }
            (None, Some(_)) if !url_is_wrong => {
                let problem = "It is missing, although `mail.from` is set.".to_owned();
                let remedy = "Add the mail server, for example smtps://user:password@mail.example.org.";
                self.add_error("mail.smtp_url", self.origin_of("mail.from"), problem, remedy);
            }
            _ => {}
        }
        None
    }

    fn local(&mut self, d: LocalConfig, data: &Path) -> LocalConfig {
        LocalConfig {
            models: self.read("local.models", data.join("models"), values::folder, |path| show_path(path)),
            idle_minutes: self.read(
                "local.idle_minutes",
                d.idle_minutes,
                |raw| values::number(raw, 1, 525_600).map(u64::from),
                show,
            ),
            threads: self.read("local.threads", d.threads, |raw| values::number(raw, 0, 1_024), show),
            context: self.read(
                "local.context",
                d.context,
                some(|raw| values::number(raw, 256, 10_000_000)),
                show_option,
            ),
            program: self.read("local.program", d.program, some(values::program), |path| {
                path.as_deref().map_or_else(unset, show_path)
            }),
        }
    }

    /// Reads one provider; `None` if it has no base URL.
    fn provider(&mut self, name: String, values: Values) -> Option<ProviderConfig> {
        self.values = values;
        self.prefix = format!("providers.{name}.");
        let origin = self.values.values().next().map_or(Origin::Default, |entry| entry.origin.clone());
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 32 || !name.chars().all(letters) || name == "local" {
            self.add_error(
                "name",
                origin.clone(),
                format!("{name:?} cannot be a provider's name."),
                "Use small letters, digits, `-` and `_`, at most 32; `local` is taken by this machine's own models.",
            );
        }
        let choices = [
            ("openai", ProviderKind::OpenAi),
            ("anthropic", ProviderKind::Anthropic),
            ("ollama", ProviderKind::Ollama),
            ("gemini", ProviderKind::Gemini),
        ];
        let kind = self.read_choice("kind", ProviderKind::OpenAi, &choices);
        let default = kind.default_base_url().map(str::to_owned);
        let base_url = self.read("base_url", default, some(|raw| values::base_url(raw, kind)), show_option);
        let key = self.read("key", None, some(values::secret), masked);
        let models = self.read("models", Vec::new(), values::texts, |list| show_list(list));
        let bounds = |raw: &Raw| values::number(raw, 256, 10_000_000);
        // The other interfaces tell the context window.
        let context = (kind == ProviderKind::OpenAi).then_some(PROVIDER_CONTEXT);
        let context = self.read("context", context, some(bounds), show_option);
        let system_role = self.read("system_role", true, values::flag, show);
        if base_url.is_none() && !self.errors.iter().any(|error| error.key == format!("{}base_url", self.prefix)) {
            let remedy = "Add it, for example http://127.0.0.1:11434/v1.";
            self.add_error("base_url", origin, "It is missing.".to_owned(), remedy);
        }
        self.prefix.clear();
        base_url.map(|base_url| ProviderConfig { name, kind, base_url, key, models, context, system_role })
    }

    /// Validates rules that involve more than one value.
    fn validate(&mut self, config: &Config) {
        let sessions = &config.sessions;
        let pairs = [
            ("sessions.idle", sessions.idle, "sessions.absolute", sessions.absolute),
            (
                "sessions.administrator_idle",
                sessions.administrator_idle,
                "sessions.administrator_absolute",
                sessions.administrator_absolute,
            ),
        ];
        for (idle, seconds, absolute, longest) in pairs {
            if seconds > longest {
                let problem = format!("It is longer than `{absolute}`.");
                self.add_error(idle, self.origin_of(idle), problem, "Make it shorter, or the other longer.");
            }
        }
        if sessions.absolute > sessions.remembered {
            let problem = "It is shorter than `sessions.absolute`.".to_owned();
            let remedy = "Make it longer, or the other shorter.";
            self.add_error("sessions.remembered", self.origin_of("sessions.remembered"), problem, remedy);
        }
        let mail_is_wrong = self.errors.iter().any(|error| error.key.starts_with("mail."));
        if !config.sign_up_domains.is_empty() && config.mail.is_none() && !mail_is_wrong {
            let problem = "`domains` needs mails, by which new accounts verify their addresses.".to_owned();
            let remedy = "Set `mail.smtp_url` and `mail.from`, or choose `open` or `closed`.";
            self.add_error("sign_up", self.origin_of("sign_up"), problem, remedy);
        }
        let Some(model) = &config.default_model else { return };
        let known = |provider: &str| provider == "local" || config.providers.iter().any(|known| known.name == provider);
        match model.split_once('/') {
            Some((provider, name)) if known(provider) && !name.is_empty() => {}
            _ => {
                let problem = format!("{model:?} names no provider of this configuration.");
                let remedy = "Write `local/NAME`, or the name of a provider, a slash and the model's name.";
                self.add_error("default_model", self.origin_of("default_model"), problem, remedy);
            }
        }
    }

    /// The value of `key`, or `default` if it is not set or invalid. An invalid value adds an error.
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        default: T,
        parse: impl FnOnce(&Raw) -> Result<T, InvalidValue>,
        show: impl FnOnce(&T) -> String,
    ) -> T {
        let (value, origin) = match self.values.remove(key) {
            None => (default, Origin::Default),
            Some(RawEntry { raw, origin }) => match parse(&raw) {
                Ok(value) => (value, origin),
                Err(InvalidValue { problem, remedy }) => {
                    self.add_error(key, origin.clone(), problem, &remedy);
                    (default, origin)
                }
            },
        };
        self.settings.push(Setting { key: format!("{}{key}", self.prefix), value: show(&value), origin });
        value
    }

    /// Like [`Reader::read`], for one of several keywords.
    fn read_choice<T: Copy + PartialEq>(&mut self, key: &str, default: T, choices: &[(&str, T)]) -> T {
        let word =
            |value: &T| choices.iter().find(|(_, choice)| choice == value).map_or("", |(word, _)| word).to_owned();
        self.read(key, default, |raw| values::choice(raw, choices), word)
    }

    pub(super) fn add_error(&mut self, key: &str, origin: Origin, problem: String, remedy: &str) {
        self.errors.push(ConfigError {
            key: format!("{}{key}", self.prefix),
            origin,
            problem,
            remedy: remedy.to_owned(),
        });
    }

    fn origin_of(&self, key: &str) -> Origin {
        self.settings.iter().find(|setting| setting.key == key).map_or(Origin::Default, |found| found.origin.clone())
    }
}

pub(super) fn some<T>(
    parse: impl FnOnce(&Raw) -> Result<T, InvalidValue>,
) -> impl FnOnce(&Raw) -> Result<Option<T>, InvalidValue> {
    |raw| parse(raw).map(Some)
}

fn unset() -> String {
    "(not set)".to_owned()
}

pub(super) fn masked(secret: &Option<SecretString>) -> String {
    secret.as_ref().map_or_else(unset, |_| "(set, not shown)".to_owned())
}

pub(super) fn show(value: &impl ToString) -> String {
    value.to_string()
}

pub(super) fn show_option(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or_else(unset, ToString::to_string)
}

fn show_path(path: &Path) -> String {
    path.display().to_string()
}

fn show_list(list: &[impl ToString]) -> String {
    if list.is_empty() {
        return "(none)".to_owned();
    }
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Formats a duration in the largest unit that divides it.
fn show_seconds(seconds: &i64) -> String {
    let unit = [(86_400, "d"), (3_600, "h"), (60, "m")].into_iter().find(|(unit, _)| seconds % unit == 0);
    unit.map_or_else(|| format!("{seconds}s"), |(unit, letter)| format!("{}{letter}", seconds / unit))
}
