use leptos::{form::ActionForm, prelude::*};

use crate::{
    components::{Field, FormError},
    domain::MailPurpose,
    pages::toolkit::{action_error, field_error, focus_error, form_error},
    server_fns::recovery::RequestMail,
};

const FIELDS: &[&str] = &["email"];

/// A form that requests a mail with a link.
#[component]
pub fn AskAddress(
    /// The action of the form.
    action: ServerAction<RequestMail>,
    /// What the link is for.
    purpose: MailPurpose,
    /// The address that is already filled in.
    email: Option<String>,
    /// The label of the button.
    submit: &'static str,
) -> impl IntoView {
    let (error, pending) = (action_error(action), action.pending());
    focus_error(error, FIELDS, "ask-error");
    view! {
        <ActionForm action>
            <div class="grid gap-5">
                <FormError error=form_error(error, FIELDS) id="ask-error" />
                <input type="hidden" name="purpose" value=purpose.as_str() />
                <Field
                    name="email"
                    label=t!("auth.email")
                    kind="email"
                    autocomplete="username"
                    value=email.unwrap_or_default()
                    error=field_error(error, "email")
                />
                <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                    {submit}
                </button>
            </div>
        </ActionForm>
    }
    .into_any()
}
