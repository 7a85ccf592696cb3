use leptos::{form::ActionForm, prelude::*};

use super::{back_to_sign_in::BackToSignIn, column::AuthColumn};
use crate::{
    components::{Field, FormError, PageTitle},
    pages::{
        shell::{LoadedStandalone, page_resource},
        toolkit::{action_error, field_error, focus_error, form_action, form_error},
    },
    server_fns::{account::load_entrance, recovery::RequestPasswordReset},
};

/// `/forgot-password`: requests a link to reset the password.
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let page_data = page_resource(|| (), |()| load_entrance(None));
    view! {
        <PageTitle text=t!("auth.forgot_password.page_title") />
        <LoadedStandalone
            data=page_data
            view=|page_data| {
                if page_data.mails { view! { <RequestForm /> }.into_any() } else { view! { <MailDisabled /> }.into_any() }
            }
        />
    }
    .into_any()
}

#[component]
fn MailDisabled() -> impl IntoView {
    view! {
        <AuthColumn title=t!("auth.forgot_password.title") sentence=t!("auth.forgot_password.without_mail")>
            <BackToSignIn />
        </AuthColumn>
    }
    .into_any()
}

#[component]
fn RequestForm() -> impl IntoView {
    const FIELDS: &[&str] = &["email"];
    let action = form_action::<RequestPasswordReset>();
    let error = action_error(action);
    focus_error(error, FIELDS, "forgot-error");
    let pending = action.pending();
    view! {
        <AuthColumn title=t!("auth.forgot_password.title") sentence=t!("auth.forgot_password.sentence")>
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
