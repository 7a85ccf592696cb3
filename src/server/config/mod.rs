//! What the operator decides: defaults, then `colloquy.toml`, then the environment.

use std::{net::SocketAddr, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

mod fault;
mod gather;
mod identity;
mod load;
mod values;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Faults, Origin, Setting};
pub use load::{Loaded, load};

/// The file that is read from the working folder where no other is named.
pub const DEFAULT_FILE: &str = "colloquy.toml";
/// The context window that an endpoint's models are taken to have, in tokens, where none is given.
pub const PROVIDER_CONTEXT: u32 = 8_192;

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen (`listen`, `COLLOQUY_LISTEN`).
    pub listen: SocketAddr,
    /// The address under which people reach this installation (`url`, `COLLOQUY_URL`), for example
    /// `https://chat.example.org`. Decides the accepted `Host` and whether cookies are `Secure`.
    /// Without it, plain http on loopback names and the listening address is served.
    pub url: Option<PublicUrl>,
    /// The folder of everything that is kept (`data`, `COLLOQUY_DATA`).
    pub data: PathBuf,
    /// PostgreSQL instead of SQLite (`database_url`, `DATABASE_URL`).
    pub database_url: Option<SecretString>,
    /// Sessions in Redis instead of the database (`redis_url`, `REDIS_URL`).
    pub redis_url: Option<SecretString>,
    /// The key that seals secrets in the database, 32 bytes in base64 (`secrets_key`), where it should not lie in `data/keys/`.
    pub secrets_key: Option<SecretString>,
    /// Who must have a second factor (`require_second_factor`).
    pub require_second_factor: RequiredOf,
    /// Whether strangers may make accounts once there is an administrator (`sign_up`, `closed` or `open`).
    pub sign_up_open: bool,
    /// Domains whose addresses may make accounts (`sign_up_domains`, where `sign_up` is `domains`), in lower case.
    /// Whoever does must verify the address before they sign in.
    pub sign_up_domains: Vec<String>,
    /// Addresses of proxies whose `X-Forwarded-For` is believed (`trusted_proxies`).
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// How many connections are open at once (`connections`). Further ones wait to be accepted.
    pub connections: u32,
    /// How many answers of one person are written at once (`answers_per_person`). Further ones wait for their turn.
    pub answers_per_person: u32,
    /// Form of the log (`log.*`).
    pub log: LogConfig,
    /// Lifetimes of sign-ins (`sessions.*`).
    pub sessions: SessionConfig,
    /// How mails are sent (`mail.*`), where they are.
    pub mail: Option<MailConfig>,
    /// What may be reached over the network (`egress.*`).
    pub egress: EgressConfig,
    /// The models inside Colloquy (`local.*`).
    pub local: LocalConfig,
    /// OpenAI-compatible endpoints (`[[providers]]`).
    pub providers: Vec<ProviderConfig>,
    /// Where people can sign in besides by password (`[[identity_providers]]`).
    pub identity_providers: Vec<IdentityProviderConfig>,
    /// The id of the model that a new chat starts with (`default_model`), where the operator chose one.
    pub default_model: Option<String>,
    /// Seconds between an administrator's word that second factors are lost and their removal (`factor_removal_wait`).
    pub factor_removal_wait: i64,
    /// Days for which it is kept what was done with accounts (`audit_days`).
    pub audit_days: u32,
    /// Days after their last message for which chats are kept (`retention_days`); `None` for ever.
    pub retention_days: Option<u32>,
    /// Who runs this installation (`operator_name`), as the legal pages say.
    pub operator_name: Option<String>,
    /// Where they can be reached (`operator_contact`), as the legal pages say.
    pub operator_contact: Option<String>,
}

/// An http or https origin without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Whether it is https.
    pub https: bool,
    /// `host` or `host:port`, lower case, as browsers send it in `Host`.
    pub host: String,
}

impl PublicUrl {
    /// The origin as browsers send it in `Origin`, for example `https://chat.example.org`.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.host)
    }
}

/// Of whom something is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredOf {
    /// Of nobody: whoever wants to.
    Nobody,
    /// Of administrators.
    Administrators,
    /// Of everybody.
    Everybody,
}

/// The 32 bytes of a key in base64, unless it is none. All bytes the same are no key.
pub fn key_bytes(text: &SecretString) -> Option<[u8; 32]> {
    let bytes = STANDARD.decode(text.expose_secret().trim()).ok()?;
    let key: [u8; 32] = bytes.try_into().ok()?;
    key.iter().any(|byte| *byte != key[0]).then_some(key)
}

/// How to log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// JSON lines (`true`), text (`false`), or by whether standard error is a terminal (`None`).
    pub json: Option<bool>,
    /// A `tracing` filter, for example `info`.
    pub filter: String,
}

/// How long sign-ins last, in seconds.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Without use, members.
    pub idle: i64,
    /// In all, members.
    pub absolute: i64,
    /// Without use, administrators.
    pub administrator_idle: i64,
    /// In all, administrators.
    pub administrator_absolute: i64,
    /// In all and without use, where "remember me" was chosen.
    pub remembered: i64,
}

/// How to send mails.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The mail server, for example `smtps://user:password@mail.example.org`.
    pub smtp_url: SecretString,
    /// The sender, for example `Colloquy <chat@example.org>`.
    pub from: String,
}

/// What may be reached over the network.
#[derive(Debug, Clone, Default)]
pub struct EgressConfig {
    /// Networks that are not public, into which addresses may lead that are not in the configuration themselves.
    pub allowed_networks: Vec<IpNet>,
}

/// The models that run on this machine.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Folder of `.gguf` files; `data/models` unless set.
    pub models: PathBuf,
    /// Minutes without use after which a model is freed.
    pub idle_minutes: u64,
    /// Threads for the model; 0 for one less than there are cores.
    pub threads: u32,
    /// The longest context in tokens, where it should be shorter than the file allows.
    pub context: Option<u32>,
    /// The program that runs a model: this one, unless a test says otherwise.
    pub program: Option<PathBuf>,
}

/// An OpenAI-compatible endpoint.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// The short name; part of model ids.
    pub name: String,
    /// For example `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// The key, where one is needed.
    pub key: Option<SecretString>,
    /// The models to offer; empty to ask the endpoint's `/models`.
    pub models: Vec<String>,
    /// The context window of its models, in tokens.
    pub context: u32,
    /// Whether its models know the role `system`; else the instructions stand in the first message.
    pub system_role: bool,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone)]
pub struct IdentityProviderConfig {
    /// The short name; part of the addresses that the provider knows.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Its issuer, to the letter.
    pub issuer: String,
    /// Under which id it knows this installation.
    pub client_id: String,
    /// By which secret.
    pub client_secret: SecretString,
    /// Whether strangers may make accounts by it, where strangers may make accounts at all.
    pub sign_up: bool,
}

impl Config {
    /// The origin that links in mails begin with: `url`, or where none is set the address that is listened on.
    /// What a request says of itself never counts.
    pub fn base_url(&self) -> String {
        match &self.url {
            Some(url) => url.origin(),
            None if self.listen.ip().is_unspecified() => format!("http://localhost:{}", self.listen.port()),
            None => format!("http://{}", self.listen),
        }
    }

    /// The origin of this installation in links that others keep: never taken from a request.
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
            require_second_factor: RequiredOf::Nobody,
            sign_up_open: false,
            sign_up_domains: Vec::new(),
            trusted_proxies: Vec::new(),
            connections: 4_096,
            answers_per_person: 8,
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
