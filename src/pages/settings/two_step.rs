use leptos::{form::ActionForm, prelude::*, task::spawn_local};

use super::{factor_times::FactorTimes, state::SettingsState};
use crate::{
    components::{Copied, Field, browser, copy_word, tell_copied},
    domain::{Factor, FactorKind, TotpEnrolment},
    pages::toolkit::{ConfirmGate, FormErrorOrConfirm, Section, action_error, field_error, focus_error},
    server_fns::factors::{BeginTotp, CancelTotp, ConfirmTotp, NewRecoveryCodes, PutCodesAway, RemoveFactor},
};

/// The authenticator app and the recovery codes.
#[component]
pub fn TwoStepSection(
    /// What the page shows.
    state: SettingsState,
) -> impl IntoView {
    let app =
        state.part(|settings| settings.factors.factors.iter().find(|factor| factor.kind == FactorKind::Totp).cloned());
    let has_factor = Memo::new(move |_| state.now.with(|settings| !settings.factors.factors.is_empty()));
    let codes = Memo::new(move |_| state.now.with(|settings| settings.codes.clone()));
    let enrolment = Memo::new(move |_| state.now.with(|settings| settings.enrolment.clone()));
    let begin = state.action::<BeginTotp>();
    let remove = state.action::<RemoveFactor>();
    let (of_begin, of_remove) = (action_error(begin), action_error(remove));
    let error = Signal::derive(move || of_begin.get().or_else(|| of_remove.get()));
    view! {
        <Section
            id="two-step"
            title=t!("settings.two_step.title")
            sentence=t!("settings.two_step.sentence")
        >
            <div class="grid gap-5">
                <FormErrorOrConfirm error id="two-step-error" next="/settings#two-step" />
                {move || {
                    let codes = codes.get();
                    (!codes.is_empty()).then(|| view! { <NewCodes codes state /> })
                }}
                {move || match (app.get(), enrolment.get()) {
                    (Some(factor), _) => view! { <App factor remove state /> }.into_any(),
                    (None, Some(enrolment)) => view! { <Enrol enrolment state /> }.into_any(),
                    (None, None) => {
                        view! {
                            <ConfirmGate
                                fresh=state.fresh()
                                next="/settings#two-step"
                                hint=t!("settings.two_step.confirm_hint")
                            >
                                <ActionForm action=begin>
                                    <button class="btn btn-line" type="submit">
                                        {t!("settings.two_step.add")}
                                    </button>
                                </ActionForm>
                            </ConfirmGate>
                        }
                        .into_any()
                    }
                }}
                {move || has_factor.get().then(|| view! { <RecoveryCodes state /> })}
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn App(factor: Factor, remove: ServerAction<RemoveFactor>, state: SettingsState) -> impl IntoView {
    let Factor { id, name, created_at, last_used_at, .. } = factor;
    view! {
        <div class="flex items-center gap-4 border-y border-line py-3">
            <div class="min-w-0 flex-1">
                <p class="font-medium">{name}</p>
                <FactorTimes created_at last_used_at />
            </div>
            {move || {
                state
                    .now
                    .with(|settings| settings.proof.fresh)
                    .then(|| {
                        view! {
                            <ActionForm action=remove>
                                <input type="hidden" name="factor" value=id.to_string() />
                                <button
                                    class="btn btn-quiet btn-small btn-danger"
                                    type="submit"
                                    aria-label=t!("settings.two_step.remove_app")
                                >
                                    {t!("settings.two_step.remove")}
                                </button>
                            </ActionForm>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

/// The app that is being added.
#[component]
fn Enrol(enrolment: TotpEnrolment, state: SettingsState) -> impl IntoView {
    const FIELDS: &[&str] = &["code"];
    let confirm = state.action::<ConfirmTotp>();
    let cancel = state.action::<CancelTotp>();
    let error = action_error(confirm);
    focus_error(error, FIELDS, "totp-error");
    let TotpEnrolment { uri, secret, qr } = enrolment;
    view! {
        <div class="grid gap-4">
            <p>{t!("settings.two_step.scan")}</p>
            <div class="qr" role="img" aria-label=t!("settings.two_step.qr") inner_html=qr></div>
            <p class="text-label text-ink-soft">
                {rich!(
                    "settings.two_step.open",
                    open = |words| {
                        view! {
                            <a class="link" href=uri.clone() rel="external">
                                {words}
                            </a>
                        }
                    },
                    key = |_| view! { <code class="break-all">{secret.clone()}</code> },
                )}
            </p>
            <ActionForm action=confirm>
                <div class="grid max-w-[360px] gap-5">
                    <FormErrorOrConfirm error fields=FIELDS id="totp-error" next="/settings#two-step" />
                    <Field
                        name="code"
                        label=t!("settings.two_step.code")
                        autocomplete="one-time-code"
                        keys="numeric"
                        error=field_error(error, "code")
                    />
                    <button class="btn btn-primary w-fit" type="submit" aria-busy=move || confirm.pending().get().to_string()>
                        {t!("settings.two_step.enrol")}
                    </button>
                </div>
            </ActionForm>
            <ActionForm action=cancel>
                <button class="btn btn-quiet" type="submit">
                    {t!("common.cancel")}
                </button>
            </ActionForm>
        </div>
    }
    .into_any()
}

/// New recovery codes, shown until they are put away.
#[component]
fn NewCodes(codes: Vec<String>, state: SettingsState) -> impl IntoView {
    let away = state.action::<PutCodesAway>();
    let text = codes.join("\n");
    let copied = Copied::new(None);
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let done = browser::copy_text(text).await;
            tell_copied(copied, done);
        });
    };
    let rows = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
    view! {
        <div class="codes" role="group" aria-labelledby="codes-title">
            <h3 class="font-semibold" id="codes-title">
                {t!("settings.two_step.keep_codes")}
            </h3>
            <p class="mt-1 text-ink-soft">{t!("settings.two_step.keep_codes_why")}</p>
            <ul class="my-4 grid gap-x-8 gap-y-1 sm:grid-cols-2">{rows}</ul>
            <div class="flex flex-wrap items-center gap-3">
                <ActionForm action=away>
                    <button class="btn btn-primary" type="submit">
                        {t!("settings.two_step.codes_kept")}
                    </button>
                </ActionForm>
                <button class="btn btn-line js-only" type="button" on:click=copy>
                    {move || copy_word(copied.get())}
                </button>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn RecoveryCodes(state: SettingsState) -> impl IntoView {
    let renew = state.action::<NewRecoveryCodes>();
    let error = action_error(renew);
    let left = state.part(|settings| settings.factors.recovery_codes);
    let told = move || match left.get() {
        0 => t!("settings.two_step.no_codes_left").to_owned(),
        count => t!("settings.two_step.codes_left", count = count),
    };
    view! {
        <div class="grid gap-3">
            <p>{told}</p>
            <FormErrorOrConfirm error id="codes-error" next="/settings#two-step" />
            <ConfirmGate
                fresh=state.fresh()
                next="/settings#two-step"
                hint=t!("settings.two_step.codes_confirm_hint")
            >
                <ActionForm action=renew>
                    <button class="btn btn-line" type="submit">
                        {t!("settings.two_step.new_codes")}
                    </button>
                    <span class="hint block">{t!("settings.two_step.old_codes_end")}</span>
                </ActionForm>
            </ConfirmGate>
        </div>
    }
    .into_any()
}
