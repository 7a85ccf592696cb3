//! Parses raw values into typed ones. Each function returns what is wrong and how to fix it.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;
use secrecy::SecretString;

use super::{ProviderConfig, ProviderKind, PublicUrl, raw::Raw};
use crate::domain::Email;

/// What is wrong with a value, and how to fix it.
pub(super) struct InvalidValue {
    pub problem: String,
    pub remedy: String,
}

fn invalid<T>(problem: impl Into<String>, remedy: impl Into<String>) -> Result<T, InvalidValue> {
    Err(InvalidValue { problem: problem.into(), remedy: remedy.into() })
}

/// The quoted value for an error message. Never used for secrets.
fn quoted(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) | Raw::Toml(toml::Value::String(text)) => format!("{text:?}"),
        Raw::Toml(value) => value.to_string().replace('\n', " "),
    }
}

/// A non-empty string without control characters.
pub(super) fn text(raw: &Raw) -> Result<String, InvalidValue> {
    match raw {
        Raw::Text(text) | Raw::Toml(toml::Value::String(text)) if text.chars().any(char::is_control) => {
            invalid("It has a control character (a line break, a tab).", "Remove it.")
        }
        Raw::Text(text) | Raw::Toml(toml::Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
        Raw::Text(_) | Raw::Toml(toml::Value::String(_)) => invalid("It is empty.", "Give it a value or remove it."),
        Raw::Toml(_) => invalid("It is not a text.", "Put it in quotation marks."),
    }
}

/// A secret. Error messages do not contain it.
pub(super) fn secret(raw: &Raw) -> Result<SecretString, InvalidValue> {
    text(raw).map(SecretString::from)
}

/// A key: 32 bytes in base64. Error messages do not contain it.
pub(super) fn key(raw: &Raw) -> Result<SecretString, InvalidValue> {
    let text = secret(raw)?;
    if super::key_bytes(&text).is_some() {
        return Ok(text);
    }
    invalid("It is not 32 bytes in base64.", "Make one with `head -c 32 /dev/urandom | base64`.")
}

/// The URL of a database, which may contain a password.
pub(super) fn secret_url(raw: &Raw, schemes: &[&str]) -> Result<SecretString, InvalidValue> {
    let text = text(raw)?;
    match text.split_once("://") {
        Some((scheme, rest)) if schemes.contains(&scheme) && !rest.is_empty() => Ok(SecretString::from(text)),
        _ => invalid(
            format!("It does not begin with {}://.", schemes.join(":// or ")),
            format!("Write it as {}://user:password@host/name.", schemes[0]),
        ),
    }
}

/// The URL of a mail server, which may contain a password. Only a server on this machine may be used without TLS.
pub(super) fn smtp_url(raw: &Raw) -> Result<SecretString, InvalidValue> {
    let remedy = "Write smtps://user:password@host, or smtp://user:password@host:587?tls=required.";
    let text = text(raw)?;
    let Ok(uri) = text.parse::<axum::http::Uri>() else {
        return invalid(
            "It is not an address; other characters than letters and digits must be written as %XX.",
            remedy,
        );
    };
    let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
        return invalid("It has no host.", remedy);
    };
    if !matches!(uri.path(), "" | "/") || text.contains('#') {
        return invalid("It has a path.", remedy);
    }
    if authority.as_str().split_once('@').is_some_and(|(user, _)| !user.contains(':')) {
        return invalid("It has a user name without a password.", remedy);
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match (uri.scheme_str(), uri.query()) {
        (Some("smtps"), None) | (Some("smtp"), Some("tls=required")) => Ok(SecretString::from(text)),
        (Some("smtp"), None) if here => Ok(SecretString::from(text)),
        (Some("smtp"), None) => invalid("It would send passwords and links without encryption.", remedy),
        (Some("smtp" | "smtps"), _) => invalid("What follows the `?` is not known.", remedy),
        _ => invalid("It does not begin with smtps:// or smtp://.", remedy),
    }
}

/// A sender: an address with an optional name.
pub(super) fn mailbox(raw: &Raw) -> Result<String, InvalidValue> {
    let text = text(raw)?;
    match text.parse::<lettre::message::Mailbox>() {
        Ok(mailbox) if Email::parse(mailbox.email.as_ref()).is_ok() => Ok(text),
        _ => invalid(
            format!("{} is not a sender.", quoted(raw)),
            "Write an address, perhaps with a name: chat@example.org, or \"Colloquy <chat@example.org>\".",
        ),
    }
}

/// A list of mail domains.
pub(super) fn domains(raw: &Raw) -> Result<Vec<String>, InvalidValue> {
    let parse = |text: String| match Email::parse(&format!("somebody@{text}")) {
        Ok(email) => Ok(email.domain().to_owned()),
        Err(_) => invalid(format!("{text:?} is not a domain."), "Write domains such as example.org, without `@`."),
    };
    texts(raw)?.into_iter().map(parse).collect()
}

/// A path, not checked.
pub(super) fn path(raw: &Raw) -> Result<PathBuf, InvalidValue> {
    text(raw).map(PathBuf::from)
}

/// The path of a directory, which may not exist yet.
pub(super) fn folder(raw: &Raw) -> Result<PathBuf, InvalidValue> {
    let path = path(raw)?;
    match std::fs::metadata(&path) {
        Ok(found) if !found.is_dir() => {
            invalid(format!("{} is a file.", quoted(raw)), "Name a folder, or a path that is free.")
        }
        _ => Ok(path),
    }
}

/// The path of an existing file.
pub(super) fn program(raw: &Raw) -> Result<PathBuf, InvalidValue> {
    let path = path(raw)?;
    if path.is_file() {
        Ok(path)
    } else {
        invalid(format!("There is no file {}.", quoted(raw)), "Name the program's file.")
    }
}

/// `address:port`.
pub(super) fn listen(raw: &Raw) -> Result<SocketAddr, InvalidValue> {
    let text = text(raw)?;
    match text.parse() {
        Ok(address) => Ok(address),
        Err(_) => invalid(
            format!("{} is not an address with a port.", quoted(raw)),
            "Write an IP address and a port, for example 127.0.0.1:3000 or [::1]:3000.",
        ),
    }
}

/// An http or https origin. Error messages do not contain a user name or password in it.
pub(super) fn public_url(raw: &Raw) -> Result<PublicUrl, InvalidValue> {
    let remedy = "Write only scheme and host, for example https://chat.example.org.";
    let text = text(raw)?.to_ascii_lowercase();
    let (https, rest) = match text.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        _ => return invalid("It does not begin with http:// or https://.", remedy),
    };
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.contains('@') {
        return invalid("It holds a user name or a password.", remedy);
    }
    if host.contains(['/', '?', '#']) {
        return invalid("It has a path.", remedy);
    }
    match host.parse::<axum::http::uri::Authority>() {
        Ok(authority) if !authority.host().is_empty() => {
            // Browsers omit the default port in `Host`.
            let usual = if https { ":443" } else { ":80" };
            Ok(PublicUrl { https, host: host.strip_suffix(usual).unwrap_or(host).to_owned() })
        }
        _ => invalid("It has no valid host.", remedy),
    }
}

/// Endpoint paths that are often copied from examples and do not belong into a base URL.
const fn endpoint_paths(kind: ProviderKind) -> &'static [&'static str] {
    match kind {
        ProviderKind::OpenAi => &["/chat/completions", "/completions", "/responses", "/models", "/chat"],
        ProviderKind::Anthropic => &["/v1/messages", "/v1/models", "/v1"],
        ProviderKind::Ollama => &["/api/chat", "/api/tags", "/api", "/v1/chat/completions", "/v1"],
        ProviderKind::Gemini => &["/models", "/openai"],
    }
}

/// The base URL of a provider: http or https, a host, an optional path; trailing slashes and endpoint paths are
/// removed.
pub(super) fn base_url(raw: &Raw, kind: ProviderKind) -> Result<String, InvalidValue> {
    let example = kind.default_base_url().unwrap_or("http://127.0.0.1:11434/v1");
    let remedy = format!("Write it as the provider gives it, for example {example}.");
    let text = text(raw)?.trim().to_owned();
    let Ok(uri) = text.parse::<axum::http::Uri>() else {
        return invalid("It is not an address.", remedy);
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return invalid("It does not begin with http:// or https://.", remedy);
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return invalid("It holds a user name or a password.", "Put the secret into `key` instead.");
    }
    if uri.query().is_some() || text.contains('#') {
        return invalid("It has a query (`?`) or a fragment (`#`).", remedy);
    }
    let base = text.trim_end_matches('/');
    let base = endpoint_paths(kind).iter().find_map(|end| base.strip_suffix(*end)).unwrap_or(base);
    let base = base.trim_end_matches('/');
    let is_bare = base.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
    Ok(if kind == ProviderKind::Gemini && is_bare { format!("{base}/v1beta") } else { base.to_owned() })
}

/// A warning about a base URL that is probably wrong.
pub(super) fn base_url_hint(provider: &ProviderConfig) -> Option<String> {
    let (scheme, rest) = provider.base_url.split_once("://").filter(|_| provider.kind == ProviderKind::OpenAi)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    matches!(path, "" | "api").then(|| {
        format!(
            "most servers answer under /v1. Write {scheme}://{host}/v1 unless the provider says otherwise; `colloquy check --connect` tries it."
        )
    })
}

/// An OpenID Connect issuer, kept exactly as written: https, or http on this machine.
pub(super) fn issuer(raw: &Raw) -> Result<String, InvalidValue> {
    let remedy = "Write it exactly as the provider gives it, for example https://login.example.org.";
    let text = text(raw)?;
    let Ok(uri) = text.parse::<axum::http::Uri>() else {
        return invalid("It is not an address.", remedy);
    };
    let host = uri.host().unwrap_or_default();
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => {}
        Some("http") if is_loopback(host) => {}
        Some("http") => {
            return invalid("It is not https, and not on this machine.", "Use the provider's https address.");
        }
        _ => return invalid("It does not begin with https://.", remedy),
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return invalid("It holds a user name or a password.", "Put the secret into `client_secret` instead.");
    }
    if uri.query().is_some() || text.contains('#') {
        return invalid("It has a query (`?`) or a fragment (`#`).", remedy);
    }
    Ok(text)
}

/// Whether the host of a URL is this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A boolean.
pub(super) fn flag(raw: &Raw) -> Result<bool, InvalidValue> {
    match raw {
        Raw::Toml(toml::Value::Boolean(flag)) => Ok(*flag),
        Raw::Text(text) if matches!(text.as_str(), "true" | "false") => Ok(text == "true"),
        _ => invalid(
            format!("{} is neither true nor false.", quoted(raw)),
            "Write true or false, without quotation marks in the file.",
        ),
    }
}

/// A list of strings; comma-separated in a variable.
pub(super) fn texts(raw: &Raw) -> Result<Vec<String>, InvalidValue> {
    match raw {
        Raw::Text(list) => list.split(',').map(|item| text(&Raw::Text(item.trim().to_owned()))).collect(),
        Raw::Toml(toml::Value::Array(items)) => items.iter().map(|item| text(&Raw::Toml(item.clone()))).collect(),
        Raw::Toml(_) => invalid("It is not a list.", "Write it in brackets, for example [\"one\", \"two\"]."),
    }
}

/// A list of IP addresses.
pub(super) fn addresses(raw: &Raw) -> Result<Vec<IpAddr>, InvalidValue> {
    let parse = |text: String| match text.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_canonical()),
        Err(_) => invalid(format!("{text:?} is not an IP address."), "Write addresses such as 10.0.0.2 or fd00::2."),
    };
    texts(raw)?.into_iter().map(parse).collect()
}

/// A list of networks.
pub(super) fn networks(raw: &Raw) -> Result<Vec<IpNet>, InvalidValue> {
    let parse = |text: String| match text.parse::<IpNet>() {
        Ok(network) => Ok(network.trunc()),
        Err(_) => invalid(
            format!("{text:?} is not a network."),
            "Write networks such as 10.0.0.0/8 or fd00::/8, and a single address as 10.0.0.2/32.",
        ),
    };
    texts(raw)?.into_iter().map(parse).collect()
}

/// An integer within bounds.
pub(super) fn number(raw: &Raw, from: u32, to: u32) -> Result<u32, InvalidValue> {
    let found = match raw {
        Raw::Text(text) => text.trim().parse::<i64>().ok(),
        Raw::Toml(toml::Value::Integer(number)) => Some(*number),
        Raw::Toml(_) => None,
    };
    match found.and_then(|number| u32::try_from(number).ok()).filter(|number| (from..=to).contains(number)) {
        Some(number) => Ok(number),
        None => invalid(
            format!("{} is not a whole number from {from} to {to}.", quoted(raw)),
            "Write such a number, without quotation marks in the file.",
        ),
    }
}

/// A duration in seconds: a number of seconds, or a number with the suffix `s`, `m`, `h` or `d`.
pub(super) fn seconds(raw: &Raw) -> Result<i64, InvalidValue> {
    const MAX_SECONDS: i64 = 10 * 366 * 86_400;
    let found = match raw {
        Raw::Toml(toml::Value::Integer(number)) => Some(*number),
        Raw::Text(text) | Raw::Toml(toml::Value::String(text)) => {
            let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
            let unit = match &text[digits.len()..] {
                "" | "s" => Some(1),
                "m" => Some(60),
                "h" => Some(3_600),
                "d" => Some(86_400),
                _ => None,
            };
            digits.trim().parse::<i64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit))
        }
        Raw::Toml(_) => None,
    };
    match found.filter(|seconds| (60..=MAX_SECONDS).contains(seconds)) {
        Some(seconds) => Ok(seconds),
        None => invalid(
            format!("{} is not a span of time from a minute to ten years.", quoted(raw)),
            "Write for example \"30m\", \"12h\" or \"7d\".",
        ),
    }
}

/// One of several keywords.
pub(super) fn choice<T: Copy>(raw: &Raw, choices: &[(&str, T)]) -> Result<T, InvalidValue> {
    let text = text(raw)?;
    match choices.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(*value),
        None => {
            let choices: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            invalid(format!("{} is not a choice here.", quoted(raw)), format!("Write {}.", choices.join(" or ")))
        }
    }
}

/// A log filter.
pub(super) fn filter(raw: &Raw) -> Result<String, InvalidValue> {
    let text = text(raw)?;
    match tracing_subscriber::EnvFilter::try_new(&text) {
        Ok(_) => Ok(text),
        Err(_) => invalid(
            format!("{} is not a log filter.", quoted(raw)),
            "Write a level (`error`, `warn`, `info`, `debug`, `trace`), or pairs such as `info,colloquy=debug`.",
        ),
    }
}
