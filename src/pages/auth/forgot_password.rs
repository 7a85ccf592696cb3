use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{back_to_sign_in::BackToSignIn, column::AuthColumn, flash_message::FlashMessage};
use crate::{
    components::{Field, FormError, PageTitle},
    pages::{
        shell::LoadedAlone,
        toolkit::{action_done, action_error, field_error, focus_error, form_action, form_error},
    },
    server_fns::{account::load_entrance, recovery::RequestPasswordReset},
};

/// `/forgot-password`: asks for the link to a new password.
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let entrance = Resource::new_blocking(|| (), |()| load_entrance(None));
    view! {
        <PageTitle text="Forgot the password" />
        <LoadedAlone
            data=entrance
            view=|entrance| {
                if entrance.mails { view! { <AskForm /> }.into_any() } else { view! { <WithoutMail /> }.into_any() }
            }
        />
    }
    .into_any()
}

#[component]
fn WithoutMail() -> impl IntoView {
    let sentence = "This installation sends no mails. Ask an administrator: they can make a link for you, with which you \
                    choose a new password.";
    view! {
        <AuthColumn title="New password" sentence>
            <BackToSignIn />
        </AuthColumn>
    }
    .into_any()
}

#[component]
fn AskForm() -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = form_action::<RequestPasswordReset>();
    let error = action_error(action);
    focus_error(error, FIELDS, "forgot-error");
    let pending = action.pending();
    let query = use_query_map();
    let named = move || query.with(|query| query.get_str("done") == Some("sent"));
    let done = action_done(action);
    let sent = move || done.get().unwrap_or_else(named);
    view! {
        <AuthColumn title="New password" sentence="A link to choose one comes by mail and holds for 15 minutes.">
            {move || {
                let words = "If an account has this address, a link is on its way. Look into your mail.";
                sent().then(|| view! { <FlashMessage words=Some(words) /> })
            }}
            <ActionForm action>
                <div class="grid gap-5">
                    <FormError error=form_error(error, FIELDS) id="forgot-error" />
                    <Field
                        name="email"
                        label="E-mail"
                        kind="email"
                        autocomplete="username"
                        error=field_error(error, "email")
                    />
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        "Send the link"
                    </button>
                </div>
            </ActionForm>
            <BackToSignIn />
        </AuthColumn>
    }
    .into_any()
}
