use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map, location::Url};

use super::{
    column::AuthColumn,
    next::{next, with_next},
    passkey::PasskeyPurpose,
    sign_in_methods::SignInMethods,
};
use crate::{
    components::{Field, FormError, PageTitle},
    domain::SignInStep,
    pages::{
        shell::{LoadedStandalone, page_resource},
        toolkit::{action_error, field_error, focus_error, form_action, form_error},
    },
    server_fns::factors::{FinishSignIn, find_sign_in_step},
};

const FIELDS: &[&str] = &["code"];

/// `/sign-in/code`: the second factor.
#[component]
pub fn SignInCodePage() -> impl IntoView {
    let step = page_resource(|| (), |()| find_sign_in_step());
    view! {
        <PageTitle text=t!("auth.second_step.title") />
        <LoadedStandalone
            data=step
            view=|step| match step {
                Some(SignInStep::SecondFactor { totp, passkey }) => view! { <CodeForm totp passkey /> }.into_any(),
                _ => view! { <Redirect path=with_next("/sign-in", next().as_deref()) /> }.into_any(),
            }
        />
    }
    .into_any()
}

#[component]
fn CodeForm(totp: bool, passkey: bool) -> impl IntoView {
    let action = form_action::<FinishSignIn>();
    let error = action_error(action);
    focus_error(error, FIELDS, "code-form-error");
    let pending = action.pending();
    let next = next();
    let after = next.clone();
    let start_again = with_next("/sign-in", next.as_deref());
    let is_recovery_mode = use_query_map().with_untracked(|query| query.get_str("with") == Some("recovery"));
    let is_app_mode = totp && !is_recovery_mode;
    let sentence = match (is_app_mode, totp, passkey) {
        (true, ..) => t!("auth.second_step.app_sentence"),
        (false, false, true) => t!("auth.second_step.passkey_sentence"),
        _ => t!("auth.second_step.recovery_sentence"),
    };
    // Codes of an authenticator app have only digits, so phones show the numeric keyboard; recovery codes have letters.
    let field = if is_app_mode {
        view! {
            <Field
                name="code"
                label=t!("auth.second_step.code")
                autocomplete="one-time-code"
                inputmode="numeric"
                described_by="code-hint"
                error=field_error(error, "code")
            >
                <p class="hint" id="code-hint">
                    {t!("auth.second_step.code_hint")}
                </p>
            </Field>
        }
        .into_any()
    } else {
        view! {
            <Field
                name="code"
                label=t!("auth.second_step.recovery_code")
                autocomplete="off"
                error=field_error(error, "code")
            />
        }
        .into_any()
    };
    let (mode, text) = if is_app_mode {
        ("recovery", t!("auth.second_step.use_recovery_code"))
    } else {
        ("app", t!("auth.second_step.use_app"))
    };
    let other_mode_query = next.as_deref().map(Url::escape);
    let other_mode_query =
        other_mode_query.map_or_else(|| format!("?with={mode}"), |next| format!("?with={mode}&next={next}"));
    view! {
        <AuthColumn title=t!("auth.second_step.title") sentence>
            <ActionForm action>
                <div class="grid gap-5">
                    <FormError error=form_error(error, FIELDS) id="code-form-error" />
                    {next.map(|next| view! { <input type="hidden" name="next" value=next /> })} {field}
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        {move || if pending.get() { t!("auth.sign_in.pending") } else { t!("auth.sign_in.submit") }}
                    </button>
                </div>
            </ActionForm>
            {totp
                .then(|| {
                    view! {
                        <p class="mt-4">
                            <a
                                class="link inline-flex min-h-11 items-center"
                                href=format!("/sign-in/code{other_mode_query}")
                                rel="external"
                            >
                                {text}
                            </a>
                        </p>
                    }
                })}
            <SignInMethods providers=Vec::new() passkey=passkey.then_some(PasskeyPurpose::SecondStep) next=after />
            <p class="mt-8 text-ink-soft">
                {rich!("auth.second_step.start_again", link = |text| {
                    view! { <a class="link" href=start_again.clone()>{text}</a> }
                })}
            </p>
        </AuthColumn>
    }
    .into_any()
}
