//! `[[identity_providers]]`: OpenID Connect providers for signing in.

use secrecy::SecretString;

use super::{
    Config, IdentityProviderConfig,
    error::Origin,
    load::{Reader, masked, show, show_option, some},
    raw::Values,
    values,
};

/// Default values for a well-known provider.
#[derive(Clone, Copy)]
struct Preset {
    name: &'static str,
    label: &'static str,
    issuer: &'static str,
}

const GOOGLE: Preset = Preset { name: "google", label: "Google", issuer: "https://accounts.google.com" };

impl Reader {
    /// Reads one identity provider; `None` if a required value is missing.
    pub(super) fn identity_provider(
        &mut self,
        name: String,
        values: Values,
        config: &Config,
    ) -> Option<IdentityProviderConfig> {
        self.values = values;
        self.prefix = format!("identity_providers.{name}.");
        let origin = self.values.values().next().map_or(Origin::Default, |entry| entry.origin.clone());
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 32 || !name.chars().all(letters) {
            let problem = format!("{name:?} cannot be an identity provider's name.");
            self.add_error("name", origin.clone(), problem, "Use small letters, digits and `-`, at most 32.");
        }
        if config.url.is_none() && !config.listen.ip().is_loopback() {
            let problem = "The address to which the provider sends people back is not known.".to_owned();
            let remedy = "Set `url` to the address in people's browsers.";
            self.add_error("name", origin.clone(), problem, remedy);
        }
        let presets = [(GOOGLE.name, Some(GOOGLE))];
        let show_preset = |preset: &Option<Preset>| show_option(&preset.map(|preset| preset.name));
        let preset = self.read("preset", None, |raw| values::choice(raw, &presets), show_preset);
        let label = preset.map_or_else(|| name.clone(), |preset| preset.label.to_owned());
        let label = self.read("label", label, values::text, show);
        let issuer = preset.map(|preset| preset.issuer.to_owned());
        let issuer = self.read("issuer", issuer, some(values::issuer), show_option);
        let client_id = self.read("client_id", None, some(values::text), show_option);
        let client_secret: Option<SecretString> = self.read("client_secret", None, some(values::secret), masked);
        let sign_up = self.read("sign_up", true, values::flag, show);
        let remedies = [
            ("issuer", issuer.is_none(), "Add it, for example https://login.example.org, or `preset = \"google\"`."),
            ("client_id", client_id.is_none(), "Add the id that the provider gave you for Colloquy."),
            ("client_secret", client_secret.is_none(), "Add the secret that the provider gave you for Colloquy."),
        ];
        for (key, is_missing, remedy) in remedies {
            let is_faulty = self.errors.iter().any(|error| error.key == format!("{}{key}", self.prefix));
            if is_missing && !is_faulty {
                self.add_error(key, origin.clone(), "It is missing.".to_owned(), remedy);
            }
        }
        self.prefix.clear();
        let (issuer, client_id, client_secret) = (issuer?, client_id?, client_secret?);
        Some(IdentityProviderConfig { name, label, issuer, client_id, client_secret, sign_up })
    }
}
