use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{
    column::AuthColumn,
    flash_message::FlashMessage,
    next::{next, with_next},
    passkey::{PasskeyPurpose, start_passkey_autofill},
    remember::RememberMe,
    sign_in_methods::SignInMethods,
};
use crate::{
    components::{Field, FormError, PageTitle, browser::abort_passkey_request},
    domain::{AppError, AuthPageData, SignUpPolicy},
    pages::{
        shell::{LoadedStandalone, page_resource},
        toolkit::{action_error, field_error, focus_error, form_action, form_error, input_value},
    },
    server_fns::account::{SignIn, load_entrance},
};

const FIELDS: &[&str] = &["email", "password"];

/// `/sign-in`
#[component]
pub fn SignInPage() -> impl IntoView {
    let page_data = page_resource(|| (), |()| load_entrance(None));
    view! {
        <PageTitle text=t!("auth.sign_in.title") />
        <LoadedStandalone
            data=page_data
            view=|page_data| match page_data {
                AuthPageData { user: Some(_), .. } => view! { <Redirect path="/" /> }.into_any(),
                AuthPageData { policy: SignUpPolicy::First, .. } => view! { <Redirect path="/sign-up" /> }.into_any(),
                page_data => view! { <SignInForm page_data /> }.into_any(),
            }
        />
    }
    .into_any()
}

/// The message about an action that redirected here, by the URL parameter `done`.
fn flash_text(done: Option<&str>) -> Option<&'static str> {
    match done? {
        "verified" => Some(t!("auth.sign_in.address_confirmed")),
        "reset" => Some(t!("auth.sign_in.password_changed")),
        "signed-out" => Some(t!("auth.sign_in.signed_out")),
        "deleted" => Some(t!("auth.sign_in.account_deleted")),
        _ => None,
    }
}

/// The error message of the form. If the address is not verified, it names the `typed` one, to which a link was mailed.
fn form_message(error: Signal<Option<AppError>>, typed: RwSignal<String>) -> Signal<Option<String>> {
    let of_form = form_error(error, FIELDS);
    Signal::derive(move || {
        let is_unverified = error.with(|error| error.as_ref().is_some_and(AppError::is_unverified));
        match typed.get() {
            email if is_unverified && !email.is_empty() => Some(t!("auth.sign_in.unverified", email = email)),
            _ => of_form.get(),
        }
    })
}

fn fields(error: Signal<Option<AppError>>, email: String) -> AnyView {
    view! {
        <Field
            name="email"
            label=t!("auth.email")
            kind="email"
            autocomplete="username webauthn"
            value=email
            error=field_error(error, "email")
        />
        <Field
            name="password"
            label=t!("auth.password")
            kind="password"
            autocomplete="current-password"
            error=field_error(error, "password")
        />
    }
    .into_any()
}

#[component]
fn SignInForm(page_data: AuthPageData) -> impl IntoView {
    let AuthPageData { policy, providers, passkeys, passkey_used, inbox, .. } = page_data;
    let action = form_action::<SignIn>();
    let error = action_error(action);
    focus_error(error, FIELDS, "sign-in-error");
    let done = use_query_map().with_untracked(|query| query.get("done"));
    let flash = flash_text(done.as_deref());
    // The address to which a link was mailed: without scripts the browser has stored it.
    let typed = RwSignal::new(inbox.map(|mail| mail.email).unwrap_or_default());
    let email = if done.as_deref() == Some("verified") { typed.get_untracked() } else { String::new() };
    let on_submit = move |_| {
        typed.set(input_value("email").trim().to_owned());
        // A pending passkey request would block the submission.
        abort_passkey_request();
    };
    let next = next();
    let to_sign_up = with_next("/sign-up", next.as_deref());
    let (pending, after) = (action.pending(), next.clone());
    let passkey = passkeys.then_some(PasskeyPurpose::SignIn);
    if passkeys {
        start_passkey_autofill(next.clone());
    }
    // Above the form in a browser where one was used, otherwise below it.
    let first = passkey.filter(|_| passkey_used).map(|passkey| {
        view! { <SignInMethods providers=Vec::new() passkey=Some(passkey) next=next.clone() above=true /> }
    });
    view! {
        <AuthColumn title=t!("auth.sign_in.title") sentence=t!("auth.sign_in.sentence")>
            // One message at a time: the older one gives way.
            {move || error.with(Option::is_none).then(|| view! { <FlashMessage text=flash /> })}
            {first}
            <div on:submit=on_submit>
                <ActionForm action>
                    <div class="grid gap-5">
                        <FormError error=form_message(error, typed) id="sign-in-error" />
                        {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
                        {fields(error, email)}
                        <RememberMe />
                        <button
                            class="btn btn-primary min-h-11"
                            type="submit"
                            aria-busy=move || pending.get().to_string()
                        >
                            {move || if pending.get() { t!("auth.sign_in.pending") } else { t!("auth.sign_in.submit") }}
                        </button>
                    </div>
                </ActionForm>
            </div>
            <p class="mt-4">
                <a class="link inline-flex min-h-11 items-center" href="/forgot-password">
                    {t!("auth.sign_in.forgot_password")}
                </a>
            </p>
            <SignInMethods providers passkey=passkey.filter(|_| !passkey_used) next=after />
            {matches!(policy, SignUpPolicy::Open | SignUpPolicy::Domains)
                .then(|| {
                    view! {
                        <p class="mt-8 text-ink-soft">
                            {rich!("auth.sign_in.no_account", link = |text| {
                                view! { <a class="link" href=to_sign_up.clone()>{text}</a> }
                            })}
                        </p>
                    }
                })}
        </AuthColumn>
    }
    .into_any()
}
