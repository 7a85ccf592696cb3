use leptos::{ev::SubmitEvent, form::ActionForm, prelude::*, task::spawn_local};

use super::{factor_times::FactorTimes, state::SettingsState};
use crate::{
    components::{
        Field,
        browser::{has_passkeys, make_passkey},
    },
    domain::{AppError, Factor, FactorKind},
    pages::toolkit::{ConfirmGate, FormErrorOrConfirm, Section, action_error, field_error, input_value},
    server_fns::factors::{RemoveFactor, RenameFactor, begin_passkey_registration, finish_passkey_registration},
};

/// The person's passkeys.
#[component]
pub fn PasskeysSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    let possible = state.now.with_untracked(|settings| settings.can_use_passkeys);
    let rename = state.action::<RenameFactor>();
    let remove = state.action::<RemoveFactor>();
    let (of_rename, of_remove) = (action_error(rename), action_error(remove));
    let error = Signal::derive(move || of_rename.get().or_else(|| of_remove.get()));
    let fresh = state.fresh();
    let rows = move || {
        let passkeys = state.now.with(|settings| {
            let factors = settings.factors.factors.iter();
            factors.filter(|factor| factor.kind == FactorKind::Passkey).cloned().collect::<Vec<_>>()
        });
        let rows = passkeys.into_iter().map(|factor| view! { <PasskeyRow factor fresh rename remove /> });
        let rows = rows.collect_view();
        (!rows.is_empty()).then(|| view! { <ul class="mb-5 divide-y divide-line border-y border-line">{rows}</ul> })
    };
    view! {
        <Section
            id="passkeys"
            title=t!("settings.passkeys.title")
            sentence=t!("settings.passkeys.sentence")
        >
            <FormErrorOrConfirm error id="passkeys-error" next="/settings#passkeys" />
            {rows}
            {if possible {
                view! {
                    <ConfirmGate
                        fresh=state.fresh()
                        next="/settings#passkeys"
                        hint=t!("settings.passkeys.confirm_hint")
                    >
                        <Add state />
                    </ConfirmGate>
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
    fresh: Signal<bool>,
    rename: ServerAction<RenameFactor>,
    remove: ServerAction<RemoveFactor>,
) -> impl IntoView {
    let Factor { id, name, created_at, last_used_at, .. } = factor;
    let named = name.clone();
    view! {
        <li class="py-3">
            <div class="flex items-center gap-4">
                <div class="min-w-0 flex-1">
                    <p class="font-medium break-words">{name.clone()}</p>
                    <FactorTimes created_at last_used_at />
                </div>
                {move || {
                    let named = named.clone();
                    fresh
                        .get()
                        .then(|| {
                            view! {
                                <ActionForm action=remove>
                                    <input type="hidden" name="factor" value=id.to_string() />
                                    <button
                                        class="btn btn-quiet btn-small btn-danger"
                                        type="submit"
                                        aria-label=t!("settings.passkeys.remove_named", name = named)
                                    >
                                        {t!("settings.passkeys.remove")}
                                    </button>
                                </ActionForm>
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

/// Adding a passkey, which takes a script.
#[component]
fn Add(state: SettingsState) -> impl IntoView {
    let pending = RwSignal::new(false);
    let error = RwSignal::new(None::<AppError>);
    // Known only in the browser, once the page is awake.
    let able = RwSignal::new(true);
    Effect::new(move || able.set(has_passkeys()));
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        pending.set(true);
        error.set(None);
        spawn_local(async move {
            let added = register(input_value("passkey-name")).await;
            pending.try_set(false);
            match added {
                Ok(()) => state.look_again(),
                Err(wrong) => {
                    error.try_set(wrong);
                }
            }
        });
    };
    view! {
        <form class="js-only" on:submit=add>
            <div class="grid max-w-[360px] gap-5">
                <FormErrorOrConfirm error=error.into() fields=&["name"] id="passkey-error" next="/settings#passkeys" />
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
                    disabled=move || !able.get()
                    aria-busy=move || pending.get().to_string()
                >
                    {t!("settings.passkeys.add")}
                </button>
            </div>
        </form>
        <p class="hint js-only">
            {move || (!able.get()).then(|| t!("settings.passkeys.unable"))}
        </p>
        <p class="hint nojs-only">{t!("settings.passkeys.no_scripts")}</p>
    }
    .into_any()
}

/// Makes a passkey and hands it in. Nothing is to be said where the person turned away.
async fn register(name: String) -> Result<(), Option<AppError>> {
    let options = begin_passkey_registration().await.map_err(Some)?;
    let credential = make_passkey(&options).await;
    let credential = credential.map_err(|none| none.reason().map(|reason| AppError::invalid("credential", reason)))?;
    finish_passkey_registration(name, credential).await.map_err(Some)?;
    Ok(())
}
