use leptos::{ev::SubmitEvent, form::ActionForm, prelude::*, task::spawn_local};

use super::state::SettingsState;
use crate::{
    components::{
        Field, TimeAgo,
        browser::{has_passkeys, make_passkey},
    },
    domain::{AppError, Factor, FactorKind},
    pages::{
        shell::ReaderTime,
        toolkit::{ConfirmGate, FormErrorOrConfirm, Section, action_error, field_error, input_value},
    },
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
            title="Passkeys"
            sentence="Sign in with your fingerprint, your face or the lock of your device, with no password at all."
        >
            <FormErrorOrConfirm error id="passkeys-error" next="/settings#passkeys" />
            {rows}
            {if possible {
                view! {
                    <ConfirmGate fresh=state.fresh() next="/settings#passkeys" what="add or remove passkeys">
                        <Add state />
                    </ConfirmGate>
                }
                .into_any()
            } else {
                view! {
                    <p class="hint">
                        "Passkeys need a name in the address of this installation. It has only numbers; the operator can set a name."
                    </p>
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
    let clock = ReaderTime::expect().clock;
    let Factor { id, name, created_at, last_used_at, .. } = factor;
    let named = name.clone();
    view! {
        <li class="py-3">
            <div class="flex items-center gap-4">
                <div class="min-w-0 flex-1">
                    <p class="font-medium break-words">{name.clone()}</p>
                    <p class="text-label text-ink-soft">
                        "Added " <TimeAgo at=created_at clock />
                        {last_used_at.map(|at| view! { " · used " <TimeAgo at clock /> })}
                    </p>
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
                                        aria-label=format!("Remove {named}")
                                    >
                                        "Remove"
                                    </button>
                                </ActionForm>
                            }
                        })
                }}
            </div>
            <details class="mt-1">
                <summary class="w-fit cursor-pointer text-label text-ink-soft">"Rename"</summary>
                <ActionForm action=rename>
                    <div class="mt-2 flex flex-wrap gap-2">
                        <input type="hidden" name="factor" value=id.to_string() />
                        <input
                            class="input max-w-[240px]"
                            name="name"
                            aria-label=format!("New name of {name}")
                            autocomplete="off"
                            required
                            maxlength="60"
                            value=name.clone()
                        />
                        <button class="btn btn-line" type="submit">
                            "Save"
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
                    label="Name of the device"
                    autocomplete="off"
                    error=field_error(error.into(), "name")
                />
                <button
                    class="btn btn-line w-fit"
                    type="submit"
                    disabled=move || !able.get()
                    aria-busy=move || pending.get().to_string()
                >
                    "Add a passkey"
                </button>
            </div>
        </form>
        <p class="hint js-only">
            {move || (!able.get()).then_some("This browser cannot use passkeys here. They need https, or a page of this very machine.")}
        </p>
        <p class="hint nojs-only">"Adding a passkey needs scripts, which are off in this browser."</p>
    }
    .into_any()
}

/// Makes a passkey and hands it in. Nothing is to be said where the person turned away.
async fn register(name: String) -> Result<(), Option<AppError>> {
    let options = begin_passkey_registration().await.map_err(Some)?;
    let credential = make_passkey(&options).await;
    let credential = credential.map_err(|none| none.words().map(|words| AppError::invalid("credential", words)))?;
    finish_passkey_registration(name, credential).await.map_err(Some)?;
    Ok(())
}
