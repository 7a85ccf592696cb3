use leptos::{form::ActionForm, prelude::*};

use super::state::SettingsState;
use crate::{
    components::TimeAgo,
    domain::Identity,
    pages::{
        shell::ReaderTime,
        toolkit::{FormErrorOrReauth, ReauthGate, Section, action_error},
    },
    server_fns::identities::UnlinkIdentity,
};

/// The identity providers linked to the account.
#[component]
pub fn ProvidersSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let unlink = state.action::<UnlinkIdentity>();
    let error = action_error(unlink);
    let recently_authenticated = state.recently_authenticated();
    let rows = move || {
        let identities = state.settings.with(|settings| settings.identities.clone());
        let rows =
            identities.into_iter().map(|identity| view! { <IdentityRow identity recently_authenticated unlink /> });
        let rows = rows.collect_view();
        (!rows.is_empty()).then(|| view! { <ul class="mb-5 divide-y divide-line border-t border-line">{rows}</ul> })
    };
    let links = move || {
        let providers = state.settings.with(|settings| settings.providers.clone());
        let link = |provider: crate::domain::IdentityProvider| {
            view! {
                <form method="post" action=format!("/auth/{}/start", provider.name)>
                    <input type="hidden" name="purpose" value="link" />
                    <input type="hidden" name="next" value="/settings/security#providers" />
                    <button class="btn btn-line" type="submit">
                        {t!("settings.providers.link", provider = provider.label)}
                    </button>
                </form>
            }
        };
        providers.into_iter().map(link).collect_view()
    };
    view! {
        <Section
            id="providers"
            title=t!("settings.providers.title")
            sentence=t!("settings.providers.sentence")
        >
            <FormErrorOrReauth error id="providers-error" next="/settings/security#providers" />
            {rows}
            <ReauthGate
                recently_authenticated=state.recently_authenticated()
                next="/settings/security#providers"
                hint=t!("settings.providers.confirm_hint")
            >
                <div class="flex flex-wrap gap-3">{links}</div>
            </ReauthGate>
        </Section>
    }
    .into_any()
}

#[component]
fn IdentityRow(
    identity: Identity,
    recently_authenticated: Signal<bool>,
    unlink: ServerAction<UnlinkIdentity>,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let Identity { label, issuer, subject, email, created_at, last_used_at } = identity;
    view! {
        <li class="flex items-center gap-4 py-3">
            <div class="min-w-0 flex-1">
                <p class="font-medium break-words">{label.clone()}</p>
                <p class="text-label break-words text-ink-soft">
                    {rich!(
                        "settings.providers.about",
                        email = |_| email.clone(),
                        linked = |_| view! { <TimeAgo at=created_at clock /> },
                        used = |_| view! { <TimeAgo at=last_used_at clock /> },
                    )}
                </p>
            </div>
            {move || {
                let (label, issuer, subject) = (label.clone(), issuer.clone(), subject.clone());
                recently_authenticated
                    .get()
                    .then(|| {
                        view! {
                            <ActionForm action=unlink>
                                <input type="hidden" name="issuer" value=issuer />
                                <input type="hidden" name="subject" value=subject />
                                <button
                                    class="btn btn-quiet btn-small btn-danger"
                                    type="submit"
                                    aria-label=t!("settings.providers.unlink_named", provider = label)
                                >
                                    {t!("settings.providers.unlink")}
                                </button>
                            </ActionForm>
                        }
                    })
            }}
        </li>
    }
    .into_any()
}
