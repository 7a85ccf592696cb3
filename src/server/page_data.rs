//! The data of whole pages, composed of what several services read.
//!
//! A page's data is one unit of work: all statements use one connection.

use std::sync::Arc;

use super::{
    auth::{Accounts, Caller, Factors, Identities},
    chat::Chats,
    clock::Clock,
    fault::Fault,
    privacy::{Exports, Privacy},
    profile::{Profiles, ReaderTimeZone},
    store::Store,
};
use crate::{
    domain::{AuthPageData, ChatFilter, ChatPage, ChatSummary, Frame, Role, Settings, SettingsPart},
    i18n::Language,
};

/// Reads the data of pages.
#[derive(Clone)]
pub struct PageData(Arc<Services>);

/// The services whose data the pages show.
pub struct Services {
    /// The database.
    pub store: Store,
    /// The source of time.
    pub clock: Clock,
    /// Accounts and sign-in.
    pub accounts: Accounts,
    /// Second factors.
    pub factors: Factors,
    /// Identity providers.
    pub identities: Identities,
    /// Names, pictures, languages and time zones.
    pub profiles: Profiles,
    /// Account deletion and data retention.
    pub privacy: Privacy,
    /// Data exports.
    pub exports: Exports,
    /// Chats.
    pub chats: Chats,
}

/// What the browser has stored about its pages.
#[derive(Debug, Default)]
pub struct BrowserState {
    /// The name of the browser's time zone; empty if it is unknown.
    pub time_zone: String,
    /// Whether the sidebar is folded.
    pub sidebar_folded: bool,
    /// Whether its group of pinned chats is folded.
    pub pinned_folded: bool,
}

impl PageData {
    /// Creates the service.
    pub fn new(services: Services) -> Self {
        Self(Arc::new(services))
    }

    /// The frame around every page of the caller.
    pub async fn load_frame(&self, caller: &Caller, language: Language, browser: BrowserState) -> Result<Frame, Fault> {
        let Services { store, clock, accounts, profiles, chats, .. } = &*self.0;
        let user = caller.user.id;
        let mut tx = store.read().await?;
        let factor_removal = tx.owned_by(user).find_factor_removal().await?;
        let deletion = tx.owned_by(user).find_deletion().await?;
        let newest = if caller.must_enrol {
            ChatPage::default()
        } else {
            chats.list_in(&mut tx, user, ChatFilter::All, "", None).await?
        };
        let preferences = profiles.preferences_in(&mut tx, user).await?;
        // Everyone else had to verify theirs, or may leave it.
        let asks_to_verify = caller.user.role == Role::Administrator && accounts.sends_mails();
        let address_unverified = asks_to_verify && !accounts.is_verified(&mut tx, caller).await?;
        // The list of models may have to be fetched from a provider.
        drop(tx);
        let now = clock.now();
        let chosen_zone = preferences.zone();
        let time_zone_chosen = chosen_zone.is_some();
        let zone = chosen_zone.or_else(|| ReaderTimeZone::from_name(&browser.time_zone)).unwrap_or_default();
        Ok(Frame {
            user: caller.user.clone(),
            chats: titles_only(newest),
            models: chats.models().list().await,
            sidebar_folded: browser.sidebar_folded,
            pinned_folded: browser.pinned_folded,
            now,
            utc_offset_minutes: zone.offset_minutes(now),
            clock_changes: zone.changes(now),
            factor_removal,
            deletion,
            must_enrol: caller.must_enrol,
            language: language.tag().to_owned(),
            time_zone_chosen,
            address_unverified,
            picture: preferences.picture,
        })
    }

    /// What one settings page shows. `cursor` is where its page of activity begins; without one there are only the first
    /// entries. `codes` are the recovery codes that the browser holds until the caller has saved them.
    ///
    /// # Errors
    /// `Invalid` for a malformed cursor.
    pub async fn load_settings(
        &self,
        caller: &Caller,
        part: SettingsPart,
        cursor: Option<&str>,
        codes: Vec<String>,
        language: Language,
    ) -> Result<Settings, Fault> {
        let Services { store, accounts, factors, identities, profiles, privacy, exports, .. } = &*self.0;
        let mut tx = store.read().await?;
        let own_factors = factors.list_in(&mut tx, caller).await?;
        let linked = identities.list_in(&mut tx, caller.user.id).await?;
        let proof = identities.reauth_methods_in(&mut tx, caller, &own_factors.factors, &linked).await?;
        let recently_authenticated = proof.recently_authenticated;
        let mut settings = Settings { proof, factors: own_factors, ..Settings::default() };
        match part {
            SettingsPart::Profile => {
                settings.address_verified = accounts.is_verified(&mut tx, caller).await?;
                settings.mails = accounts.sends_mails();
                settings.profile = profiles.profile(&mut tx, caller).await?;
            }
            SettingsPart::Security => {
                let texts = language.texts();
                if recently_authenticated {
                    settings.enrolment = factors.find_pending_totp(&mut tx, caller).await?;
                }
                settings.codes = codes;
                settings.can_use_passkeys = factors.can_use_passkeys();
                settings.identities = linked;
                settings.providers = identities.list_providers();
                settings.devices = accounts.list_devices(&mut tx, caller, texts).await?;
                settings.activity = accounts.list_activity(&mut tx, caller, cursor, texts).await?;
            }
            SettingsPart::Data => {
                settings.export = exports.find(&mut tx, caller).await?;
                settings.retention = privacy.retention(&mut tx, caller.user.id).await?;
            }
        }
        Ok(settings)
    }

    /// The data of the sign-in and sign-up pages at this host. `invitation` is an invitation token.
    pub async fn load_auth_page(
        &self,
        caller: Option<&Caller>,
        host: &str,
        invitation: Option<&str>,
        language: Language,
    ) -> Result<AuthPageData, Fault> {
        let Services { accounts, factors, identities, .. } = &*self.0;
        let invited = match invitation.filter(|token| !token.is_empty()) {
            Some(token) => Some(accounts.find_invitation(token, language.texts()).await?),
            None => None,
        };
        Ok(AuthPageData {
            user: caller.map(|caller| caller.user.clone()),
            policy: accounts.sign_up_policy().await?,
            providers: identities.list_providers(),
            sign_up_providers: identities.list_sign_up_providers(),
            passkeys: factors.passkeys_available_at(host),
            mails: accounts.sends_mails(),
            invited,
            // Only the cookies of the browser tell these.
            inbox: None,
            passkey_used: false,
        })
    }
}

/// Without what the sidebar does not show: the previews of fifty chats would be sent with every page.
fn titles_only(page: ChatPage) -> ChatPage {
    let without_preview = |chat| ChatSummary { preview: String::new(), model: String::new(), ..chat };
    ChatPage { chats: page.chats.into_iter().map(without_preview).collect(), next: page.next }
}
