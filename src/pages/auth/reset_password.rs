use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{back_to_sign_in::BackToSignIn, column::AuthColumn, incomplete_link::IncompleteLink};
use crate::{
    components::{Field, FormError, PageTitle},
    pages::toolkit::{
        PasswordStrength, action_error, field_error, focus_error, form_action, form_error, password_rating,
    },
    server_fns::recovery::ResetPassword,
};

/// `/reset-password?token=…`: sets a new password.
#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let token = use_query_map().with_untracked(|query| query.get("token")).filter(|token| !token.is_empty());
    view! {
        <PageTitle text=t!("auth.reset_password.title") />
        {match token {
            Some(token) => view! { <ResetForm token /> }.into_any(),
            None => view! { <IncompleteLink /> }.into_any(),
        }}
    }
    .into_any()
}

#[component]
fn ResetForm(token: String) -> impl IntoView {
    const FIELDS: &[&str] = &["password"];
    let action = form_action::<ResetPassword>();
    let error = action_error(action);
    focus_error(error, FIELDS, "reset-error");
    let pending = action.pending();
    // The account's address and name are not revealed before the link has been used.
    let (rating, rate) = password_rating(|| (String::new(), String::new()));
    let is_link_invalid =
        move || error.with(|error| error.as_ref().is_some_and(|error| error.field() == Some("token")));
    view! {
        <AuthColumn title=t!("auth.reset_password.title") sentence=t!("auth.reset_password.sentence")>
            <ActionForm action>
                <div class="grid gap-5" on:input=move |event| rate.run(event)>
                    <FormError error=form_error(error, FIELDS) id="reset-error" />
                    {move || {
                        is_link_invalid()
                            .then(|| {
                                view! {
                                    <p>
                                        <a class="link" href="/forgot-password">
                                            {t!("auth.reset_password.new_link")}
                                        </a>
                                    </p>
                                }
                            })
                    }}
                    <input type="hidden" name="token" value=token />
                    <Field
                        name="password"
                        label=t!("auth.reset_password.password")
                        kind="password"
                        autocomplete="new-password"
                        error=field_error(error, "password")
                        described_by="password-hint"
                    >
                        <PasswordStrength rating error=field_error(error, "password") />
                    </Field>
                    <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                        {t!("auth.reset_password.submit")}
                    </button>
                </div>
            </ActionForm>
            <BackToSignIn />
        </AuthColumn>
    }
    .into_any()
}
