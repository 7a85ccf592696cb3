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
        <PageTitle text=t!("auth.forgot_password.page_title") />
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
    view! {
        <AuthColumn title=t!("auth.forgot_password.title") sentence=t!("auth.forgot_password.without_mail")>
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
        <AuthColumn title=t!("auth.forgot_password.title") sentence=t!("auth.forgot_password.sentence")>
            {move || sent().then(|| view! { <FlashMessage words=Some(t!("auth.forgot_password.sent")) /> })}
            <ActionForm action>
                <div class="grid gap-5">
                    <FormError error=form_error(error, FIELDS) id="forgot-error" />
                    <Field
                        name="email"
                        label=t!("auth.email")
                        kind="email"
                        autocomplete="username"
                        error=field_error(error, "email")
                    />
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        {t!("auth.forgot_password.submit")}
                    </button>
                </div>
            </ActionForm>
            <BackToSignIn />
        </AuthColumn>
    }
    .into_any()
}
