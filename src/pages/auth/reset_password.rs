use leptos::{form::ActionForm, prelude::*};

use super::{
    back_to_sign_in::BackToSignIn,
    column::AuthColumn,
    link_page::{DeadLink, OpenedLink, is_dead, link_page},
};
use crate::{
    components::FormError,
    domain::LinkPage,
    pages::toolkit::{NewPasswordField, action_error, focus_error, form_action, form_error, password_rating},
    server_fns::recovery::ResetPassword,
};

/// `/reset-password?token=…`: sets a new password.
#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let form = |link| view! { <ResetForm link /> }.into_any();
    link_page(LinkPage::ResetPassword, t!("auth.reset_password.title"), form)
}

#[component]
fn ResetForm(link: OpenedLink) -> impl IntoView {
    const FIELDS: &[&str] = &["password"];
    let token = link.token.clone();
    let action = form_action::<ResetPassword>();
    let error = action_error(action);
    focus_error(error, FIELDS, "reset-error");
    focus_error(error, FIELDS, "dead-link");
    let (pending, dead) = (action.pending(), is_dead(error));
    // The account's address and name are not revealed before the link has been used.
    let (rating, rate) = password_rating(|| (String::new(), String::new()));
    view! {
        <AuthColumn title=t!("auth.reset_password.title") sentence="">
            <div hidden=move || dead.get()>
                <p class="mb-6 text-ink-soft">{t!("auth.reset_password.sentence")}</p>
                <ActionForm action>
                    <div class="grid gap-5" on:input=move |event| rate.run(event)>
                        <FormError error=form_error(error, FIELDS) id="reset-error" />
                        <input type="hidden" name="token" value=token />
                        <NewPasswordField label=t!("auth.reset_password.password") rating error />
                        <button
                            class="btn btn-primary min-h-11"
                            type="submit"
                            aria-busy=move || pending.get().to_string()
                        >
                            {t!("auth.reset_password.submit")}
                        </button>
                    </div>
                </ActionForm>
                <BackToSignIn />
            </div>
            {move || dead.get().then(|| view! { <DeadLink link=link.clone() /> })}
        </AuthColumn>
    }
    .into_any()
}
