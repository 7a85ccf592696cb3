use leptos::{ev::SubmitEvent, form::ActionForm, prelude::*, task::spawn_local};

use super::{factor_times::FactorTimes, remove_factor::RemoveFactorForm, state::SettingsState, two_step::NewCodes};
use crate::{
    components::{
        Field,
        browser::{create_passkey, supports_passkeys},
    },
    domain::{AppError, Factor, FactorKind},
    pages::toolkit::{FormErrorOrReauth, ReauthGate, Section, action_error, clear_input, field_error, input_value},
    server_fns::factors::{RemoveFactor, RenameFactor, begin_passkey_registration, finish_passkey_registration},
};

/// The user's passkeys.
#[component]
pub fn PasskeysSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let is_enabled = state.settings.with_untracked(|settings| settings.can_use_passkeys);
    let rename = state.action::<RenameFactor>();
    let remove = state.action::<RemoveFactor>();
    let (rename_error, remove_error) = (action_error(rename), action_error(remove));
    let error = Signal::derive(move || rename_error.get().or_else(|| remove_error.get()));
    let recently_authenticated = state.recently_authenticated();
    let rows = move || {
        let passkeys = state.settings.with(|settings| {
            let factors = settings.factors.factors.iter();
            factors.filter(|factor| factor.kind == FactorKind::Passkey).cloned().collect::<Vec<_>>()
        });
        let rows =
            passkeys.into_iter().map(|factor| view! { <PasskeyRow factor recently_authenticated rename remove /> });
        let rows = rows.collect_view();
        (!rows.is_empty()).then(|| view! { <ul class="mb-5 divide-y divide-line border-t border-line">{rows}</ul> })
    };
    view! {
        <Section
            id="passkeys"
            title=t!("settings.passkeys.title")
            sentence=t!("settings.passkeys.sentence")
        >
            <FormErrorOrReauth error id="passkeys-error" next="/settings/security#passkeys" />
            <NewCodes state after_passkey=true />
            {rows}
            {if is_enabled {
                view! {
                    <ReauthGate
                        recently_authenticated=state.recently_authenticated()
                        next="/settings/security#passkeys"
                        hint=t!("settings.passkeys.confirm_hint")
                    >
                        <AddPasskeyForm state />
                    </ReauthGate>
                }
                .into_any()
            } else {
                view! {
                    <p class="hint">{t!("settings.passkeys.need_name")}</p>
                }
                .into_any()
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn PasskeyRow(
    factor: Factor,
    recently_authenticated: Signal<bool>,
    rename: ServerAction<RenameFactor>,
    remove: ServerAction<RemoveFactor>,
) -> impl IntoView {
    let Factor { id, name, created_at, last_used_at, .. } = factor;
    let passkey_name = name.clone();
    view! {
        <li class="py-3">
            <div class="flex items-center gap-4">
                <div class="min-w-0 flex-1">
                    <p class="font-medium break-words">{name.clone()}</p>
                    <FactorTimes created_at last_used_at />
                </div>
                {move || {
                    let passkey_name = passkey_name.clone();
                    recently_authenticated
                        .get()
                        .then(|| {
                            view! {
                                <RemoveFactorForm
                                    factor=id
                                    name=t!("settings.passkeys.remove_named", name = passkey_name)
                                    action=remove
                                />
                            }
                        })
                }}
            </div>
            <details class="mt-1">
                <summary class="w-fit cursor-pointer text-label text-ink-soft">
                    {t!("settings.passkeys.rename")}
                </summary>
                <ActionForm action=rename>
                    <div class="mt-2 flex flex-wrap gap-2">
                        <input type="hidden" name="factor" value=id.to_string() />
                        <input
                            class="input max-w-[240px]"
                            name="name"
                            aria-label=t!("settings.passkeys.new_name", name = name)
                            autocomplete="off"
                            required
                            maxlength="60"
                            value=name.clone()
                        />
                        <button class="btn btn-line" type="submit">
                            {t!("common.save")}
                        </button>
                    </div>
                </ActionForm>
            </details>
        </li>
    }
    .into_any()
}

/// Adds a passkey, which requires scripts.
#[component]
fn AddPasskeyForm(state: SettingsState) -> impl IntoView {
    let pending = RwSignal::new(false);
    let error = RwSignal::new(None::<AppError>);
    // Only known after hydration.
    let is_supported = RwSignal::new(true);
    Effect::new(move || is_supported.set(supports_passkeys()));
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        pending.set(true);
        error.set(None);
        spawn_local(async move {
            let added = register_passkey(input_value("passkey-name")).await;
            pending.try_set(false);
            match added {
                Ok(()) => {
                    clear_input("passkey-name");
                    state.added_passkey.try_set(true);
                    state.reload();
                }
                Err(failure) => {
                    error.try_set(failure);
                }
            }
        });
    };
    view! {
        <form class="js-only" on:submit=add>
            <div class="grid max-w-[22.5rem] gap-5">
                <FormErrorOrReauth error=error.into() fields=&["name"] id="passkey-error" next="/settings/security#passkeys" />
                <Field
                    name="name"
                    id="passkey-name"
                    label=t!("settings.passkeys.device_name")
                    autocomplete="off"
                    error=field_error(error.into(), "name")
                />
                <button
                    class="btn btn-line w-fit"
                    type="submit"
                    disabled=move || !is_supported.get()
                    aria-busy=move || pending.get().to_string()
                >
                    {t!("settings.passkeys.add")}
                </button>
            </div>
        </form>
        <p class="hint js-only">
            {move || (!is_supported.get()).then(|| t!("settings.passkeys.unable"))}
        </p>
        <p class="hint nojs-only">{t!("settings.passkeys.no_scripts")}</p>
    }
    .into_any()
}

/// Creates a passkey and registers it. The error is `None` if the user cancelled.
async fn register_passkey(name: String) -> Result<(), Option<AppError>> {
    let options = begin_passkey_registration().await.map_err(Some)?;
    let credential = create_passkey(&options).await;
    let credential =
        credential.map_err(|error| error.reason().map(|reason| AppError::invalid("credential", reason)))?;
    finish_passkey_registration(name, credential).await.map_err(Some)?;
    Ok(())
}
