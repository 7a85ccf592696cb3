//! The configuration: defaults, then `colloquy.toml`, then the environment.
//!
//! Not read by a library such as `figment`, which stops at the first wrong value. Operators need all errors at once, each
//! with where the value was set and how to fix it.

use std::{net::SocketAddr, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

mod error;
mod identity;
mod load;
mod raw;
mod values;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, ConfigErrors, Origin, Setting};
pub use load::{Loaded, load};

/// The file that is read from the working directory unless another one is given.
pub const DEFAULT_FILE: &str = "colloquy.toml";
/// The assumed context window of a provider's models in tokens, if neither the configuration nor the provider tells it.
pub const PROVIDER_CONTEXT: u32 = 8_192;

/// The whole configuration, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on (`listen`, `COLLOQUY_LISTEN`).
    pub listen: SocketAddr,
    /// The public URL of this installation (`url`, `COLLOQUY_URL`), for example `https://chat.example.org`. Determines
    /// the accepted `Host` and whether cookies are `Secure`. Without it, plain http on loopback names and on the
    /// listening address is served.
    pub url: Option<PublicUrl>,
    /// The data directory (`data`, `COLLOQUY_DATA`).
    pub data: PathBuf,
    /// PostgreSQL instead of SQLite (`database_url`, `DATABASE_URL`).
    pub database_url: Option<SecretString>,
    /// Redis as a cache of session records (`redis_url`, `REDIS_URL`).
    pub redis_url: Option<SecretString>,
    /// The key that encrypts secrets in the database, 32 bytes in base64 (`secrets_key`), if it is not stored in
    /// `data/keys/`.
    pub secrets_key: Option<SecretString>,
    /// The users who must have a second factor (`require_second_factor`).
    pub require_second_factor: SecondFactorRequirement,
    /// Whether anyone can sign up once there is an administrator (`sign_up`, `closed` or `open`).
    pub sign_up_open: bool,
    /// Domains whose addresses can sign up (`sign_up_domains`, if `sign_up` is `domains`), in lower case. These users
    /// must verify their address before they can sign in.
    pub sign_up_domains: Vec<String>,
    /// Addresses of proxies whose `X-Forwarded-For` is trusted (`trusted_proxies`).
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// The maximum number of open connections (`connections`). Further ones wait to be accepted.
    pub connections: u32,
    /// The maximum number of answers that are generated at the same time per user (`answers_per_person`). Further ones
    /// are queued.
    pub answers_per_person: u32,
    /// What the title of a new chat is (`titles`).
    pub titles: Titles,
    /// The log settings (`log.*`).
    pub log: LogConfig,
    /// Session lifetimes (`sessions.*`).
    pub sessions: SessionConfig,
    /// Mail settings (`mail.*`); `None` if no mails are sent.
    pub mail: Option<MailConfig>,
    /// Network access of outgoing requests (`egress.*`).
    pub egress: EgressConfig,
    /// Models that run on this machine (`local.*`).
    pub local: LocalConfig,
    /// Providers of models (`[[providers]]`).
    pub providers: Vec<ProviderConfig>,
    /// OpenID Connect providers for signing in (`[[identity_providers]]`).
    pub identity_providers: Vec<IdentityProviderConfig>,
    /// The id of the default model of a new chat (`default_model`), if configured.
    pub default_model: Option<String>,
    /// Seconds between an administrator's request to remove lost second factors and their removal
    /// (`factor_removal_wait`).
    pub factor_removal_wait: i64,
    /// Retention of the audit log, in days (`audit_days`).
    pub audit_days: u32,
    /// Days after their last message until chats are deleted (`retention_days`); `None` keeps them forever.
    pub retention_days: Option<u32>,
    /// The operator's name on the legal pages (`operator_name`).
    pub operator_name: Option<String>,
    /// The operator's contact on the legal pages (`operator_contact`).
    pub operator_contact: Option<String>,
}

/// An http or https origin without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Whether the scheme is https.
    pub https: bool,
    /// `host` or `host:port` in lower case, as browsers send it in `Host`.
    pub host: String,
}

impl PublicUrl {
    /// The origin as browsers send it in `Origin`, for example `https://chat.example.org`.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.host)
    }
}

/// The users to whom a requirement applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactorRequirement {
    /// No one; it is optional.
    Optional,
    /// Administrators.
    Administrators,
    /// All users.
    Everyone,
}

/// What the title of a new chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Titles {
    /// The first words of the first message.
    FirstWords,
    /// Written by the model that gives the first answer, unless it runs on this machine.
    Model,
    /// Written by the model that gives the first answer, wherever it runs.
    AnyModel,
}

/// Decodes a key of 32 bytes from base64; `None` if it is malformed or all its bytes are equal.
pub fn key_bytes(text: &SecretString) -> Option<[u8; 32]> {
    let bytes = STANDARD.decode(text.expose_secret().trim()).ok()?;
    let key: [u8; 32] = bytes.try_into().ok()?;
    key.iter().any(|byte| *byte != key[0]).then_some(key)
}

/// The log settings.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// JSON lines (`true`) or text (`false`); `None` chooses text if standard error is a terminal.
    pub json: Option<bool>,
    /// A `tracing` filter, for example `info`.
    pub filter: String,
}

/// Session lifetimes, in seconds.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Idle timeout of members.
    pub idle: i64,
    /// Absolute lifetime for members.
    pub absolute: i64,
    /// Idle timeout of administrators.
    pub administrator_idle: i64,
    /// Absolute lifetime for administrators.
    pub administrator_absolute: i64,
    /// Idle timeout and absolute lifetime with "remember me".
    pub remembered: i64,
}

/// The mail settings.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The URL of the mail server, for example `smtps://user:password@mail.example.org`.
    pub smtp_url: SecretString,
    /// The sender, for example `Colloquy <chat@example.org>`.
    pub from: String,
}

/// Network access of outgoing requests.
#[derive(Debug, Clone, Default)]
pub struct EgressConfig {
    /// Private networks that may be reached by URLs that are not in the configuration themselves.
    pub allowed_networks: Vec<IpNet>,
}

/// The models that run on this machine.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Directory of `.gguf` files; `data/models` unless set.
    pub models: PathBuf,
    /// Idle minutes after which a model is unloaded.
    pub idle_minutes: u64,
    /// Threads of the model; 0 for one less than the number of cores.
    pub threads: u32,
    /// The maximum context in tokens, if it should be smaller than the file allows.
    pub context: Option<u32>,
    /// The program that runs a model: this executable, unless a test sets another one.
    pub program: Option<PathBuf>,
}

/// The interface of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// The interface of OpenAI, which most servers have.
    OpenAi,
    /// Anthropic's Messages API.
    Anthropic,
    /// Ollama's own interface.
    Ollama,
    /// Google's Gemini API.
    Gemini,
}

impl ProviderKind {
    /// The base URL of the provider that the interface is named after.
    pub const fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => None,
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Ollama => Some("http://127.0.0.1:11434"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
        }
    }
}

/// A provider of models.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// The short name; part of model ids.
    pub name: String,
    /// Its interface.
    pub kind: ProviderKind,
    /// The base URL, for example `http://127.0.0.1:11434/v1`, without the paths of the interface.
    pub base_url: String,
    /// The API key, if the provider requires one.
    pub key: Option<SecretString>,
    /// The models to offer; empty for all that the provider lists.
    pub models: Vec<String>,
    /// The context window of its models in tokens; [`PROVIDER_CONTEXT`] for the interface of OpenAI, unless configured.
    pub context: Option<u32>,
    /// Whether its models support the role `system`; otherwise the instructions are part of the first message. Only for
    /// the interface of OpenAI.
    pub system_role: bool,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone)]
pub struct IdentityProviderConfig {
    /// The short name; part of the redirect URI.
    pub name: String,
    /// The display name.
    pub label: String,
    /// The issuer, exactly as the provider reports it.
    pub issuer: String,
    /// The client id of this installation.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
    /// Whether users can sign up with it, if sign-up is open at all.
    pub sign_up: bool,
}

impl Config {
    /// Whether users reach this installation over https. Decides whether cookies are `Secure`.
    pub fn is_https(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.https)
    }

    /// The base URL of links in mails: `url`, or the listening address if it is not set. Never taken from a request.
    pub fn base_url(&self) -> String {
        match &self.url {
            Some(url) => url.origin(),
            None if self.listen.ip().is_unspecified() => format!("http://localhost:{}", self.listen.port()),
            None => format!("http://{}", self.listen),
        }
    }

    /// The origin of this installation in links that are stored elsewhere. Never taken from a request.
    pub fn origin(&self) -> String {
        self.url.as_ref().map_or_else(|| format!("http://{}", self.listen), PublicUrl::origin)
    }
}

impl Default for Config {
    fn default() -> Self {
        let data = PathBuf::from("./data");
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            url: None,
            database_url: None,
            redis_url: None,
            secrets_key: None,
            require_second_factor: SecondFactorRequirement::Optional,
            sign_up_open: false,
            sign_up_domains: Vec::new(),
            trusted_proxies: Vec::new(),
            connections: 4_096,
            answers_per_person: 8,
            titles: Titles::Model,
            log: LogConfig { json: None, filter: "info".to_owned() },
            sessions: SessionConfig {
                idle: 7 * 86_400,
                absolute: 30 * 86_400,
                administrator_idle: 1_800,
                administrator_absolute: 86_400,
                remembered: 90 * 86_400,
            },
            mail: None,
            egress: EgressConfig::default(),
            local: LocalConfig {
                models: data.join("models"),
                idle_minutes: 10,
                threads: 0,
                context: None,
                program: None,
            },
            providers: Vec::new(),
            identity_providers: Vec::new(),
            default_model: None,
            factor_removal_wait: 86_400,
            audit_days: 365,
            retention_days: None,
            operator_name: None,
            operator_contact: None,
            data,
        }
    }
}
