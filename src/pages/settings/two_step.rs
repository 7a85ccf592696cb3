use leptos::{form::ActionForm, prelude::*};

use super::{factor_times::FactorTimes, remove_factor::RemoveFactorForm, state::SettingsState};
use crate::{
    components::{Field, copy_label, copying},
    domain::{Factor, FactorKind, TotpEnrolment},
    pages::toolkit::{FormErrorOrReauth, ReauthGate, Section, action_error, field_error, focus_error, focus_soon},
    server_fns::factors::{BeginTotp, CancelTotp, ConfirmTotp, NewRecoveryCodes, PutCodesAway, RemoveFactor},
};

/// The authenticator app and the recovery codes.
#[component]
pub fn TwoStepSection(
    /// The state of the page.
    state: SettingsState,
) -> impl IntoView {
    let app = state
        .select(|settings| settings.factors.factors.iter().find(|factor| factor.kind == FactorKind::Totp).cloned());
    let has_factor = Memo::new(move |_| state.settings.with(|settings| !settings.factors.factors.is_empty()));
    let enrolment = Memo::new(move |_| state.settings.with(|settings| settings.enrolment.clone()));
    let begin = state.action::<BeginTotp>();
    let remove = state.action::<RemoveFactor>();
    let (begin_error, remove_error) = (action_error(begin), action_error(remove));
    let error = Signal::derive(move || begin_error.get().or_else(|| remove_error.get()));
    view! {
        <Section
            id="two-step"
            title=t!("settings.two_step.title")
            sentence=t!("settings.two_step.sentence")
        >
            <div class="grid gap-5">
                <FormErrorOrReauth error id="two-step-error" next="/settings/security#two-step" />
                <NewCodes state after_passkey=false />
                {move || match (app.get(), enrolment.get()) {
                    (Some(factor), _) => view! { <AuthenticatorApp factor remove state /> }.into_any(),
                    (None, Some(enrolment)) => view! { <TotpEnrolmentForm enrolment state /> }.into_any(),
                    (None, None) => {
                        view! {
                            <ReauthGate
                                recently_authenticated=state.recently_authenticated()
                                next="/settings/security#two-step"
                                hint=t!("settings.two_step.confirm_hint")
                            >
                                <ActionForm action=begin>
                                    <button class="btn btn-line" type="submit">
                                        {t!("settings.two_step.add")}
                                    </button>
                                </ActionForm>
                            </ReauthGate>
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
fn AuthenticatorApp(factor: Factor, remove: ServerAction<RemoveFactor>, state: SettingsState) -> impl IntoView {
    let Factor { id, name, created_at, last_used_at, .. } = factor;
    view! {
        <div class="flex items-center gap-4 border-t border-line pt-3">
            <div class="min-w-0 flex-1">
                <p class="font-medium">{name}</p>
                <FactorTimes created_at last_used_at />
            </div>
            {move || {
                state
                    .settings
                    .with(|settings| settings.proof.recently_authenticated)
                    .then(|| {
                        view! {
                            <RemoveFactorForm factor=id name=t!("settings.two_step.remove_app") action=remove />
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

/// The authenticator app that is being added.
#[component]
fn TotpEnrolmentForm(enrolment: TotpEnrolment, state: SettingsState) -> impl IntoView {
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
                    open = |text| {
                        view! {
                            <a class="link" href=uri.clone() rel="external">
                                {text}
                            </a>
                        }
                    },
                    key = |_| view! { <code class="break-all">{secret.clone()}</code> },
                )}
            </p>
            <ActionForm action=confirm>
                <div class="grid max-w-[22.5rem] gap-5">
                    <FormErrorOrReauth error fields=FIELDS id="totp-error" next="/settings/security#two-step" />
                    <Field
                        name="code"
                        label=t!("settings.two_step.code")
                        autocomplete="one-time-code"
                        inputmode="numeric"
                        error=field_error(error, "code")
                    />
                    <div class="flex flex-wrap gap-2">
                        <button class="btn btn-primary" type="submit" aria-busy=move || confirm.pending().get().to_string()>
                            {t!("settings.two_step.enrol")}
                        </button>
                        <button class="btn btn-line" type="submit" form="totp-cancel">
                            {t!("common.cancel")}
                        </button>
                    </div>
                </div>
            </ActionForm>
            // Its button stands beside the other one.
            <ActionForm action=cancel attr:id="totp-cancel" attr:class="hidden">
                ""
            </ActionForm>
        </div>
    }
    .into_any()
}

/// The place for new recovery codes in the section of authenticator apps or, `after_passkey`, in that of passkeys. They
/// appear where the factor was added, and get the focus.
#[component]
pub fn NewCodes(
    /// The state of the page.
    state: SettingsState,
    /// Whether this is the place for codes that come from a new passkey.
    after_passkey: bool,
) -> impl IntoView {
    let codes = Memo::new(move |_| {
        let is_here = state.added_passkey.get() == after_passkey;
        state.settings.with(|settings| if is_here { settings.codes.clone() } else { Vec::new() })
    });
    Effect::new(move |had_codes: Option<bool>| {
        let has_codes = codes.with(|codes| !codes.is_empty());
        if has_codes && had_codes == Some(false) {
            focus_soon("codes-title".to_owned());
        }
        has_codes
    });
    move || {
        let codes = codes.get();
        (!codes.is_empty()).then(|| view! { <NewCodesNotice codes state /> })
    }
}

/// New recovery codes, shown until the user dismisses them.
#[component]
fn NewCodesNotice(codes: Vec<String>, state: SettingsState) -> impl IntoView {
    let dismiss = state.action::<PutCodesAway>();
    let (copy, copied) = copying(codes.join("\n"));
    let rows = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
    view! {
        <div class="codes" role="group" aria-labelledby="codes-title">
            <h3 class="font-semibold" id="codes-title" tabindex="-1">
                {t!("settings.two_step.keep_codes")}
            </h3>
            <p class="mt-1 text-ink-soft">{t!("settings.two_step.keep_codes_why")}</p>
            <ul class="my-4 grid gap-x-8 gap-y-1 sm:grid-cols-2">{rows}</ul>
            <div class="flex flex-wrap items-center gap-3">
                <ActionForm action=dismiss>
                    <button class="btn btn-primary" type="submit">
                        {t!("settings.two_step.codes_kept")}
                    </button>
                </ActionForm>
                <button class="btn btn-line js-only" type="button" on:click=move |_| copy()>
                    {move || copy_label(copied.get())}
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
    let remaining = state.select(|settings| settings.factors.recovery_codes);
    let remaining_text = move || match remaining.get() {
        0 => t!("settings.two_step.no_codes_left").to_owned(),
        count => t!("settings.two_step.codes_left", count = count),
    };
    view! {
        <div class="grid gap-3">
            <p>{remaining_text}</p>
            <FormErrorOrReauth error id="codes-error" next="/settings/security#two-step" />
            <ReauthGate
                recently_authenticated=state.recently_authenticated()
                next="/settings/security#two-step"
                hint=t!("settings.two_step.codes_confirm_hint")
            >
                <ActionForm action=renew>
                    <button class="btn btn-line" type="submit">
                        {t!("settings.two_step.new_codes")}
                    </button>
                    <span class="hint block">{t!("settings.two_step.old_codes_end")}</span>
                </ActionForm>
            </ReauthGate>
        </div>
    }
    .into_any()
}
