use leptos::prelude::*;

use super::{ask_address::AskAddress, back_to_sign_in::BackToSignIn, column::AuthColumn};
use crate::{
    components::PageTitle,
    domain::{AuthPageData, MailPurpose},
    pages::{
        shell::{LoadedStandalone, page_resource},
        toolkit::form_action,
    },
    server_fns::{account::load_entrance, recovery::RequestMail},
};

/// `/forgot-password`: requests a link to reset the password.
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let page_data = page_resource(|| (), |()| load_entrance(None));
    view! {
        <PageTitle text=t!("auth.forgot_password.page_title") />
        <LoadedStandalone data=page_data view=|page_data| view! { <Content page_data /> }.into_any() />
    }
    .into_any()
}

#[component]
fn Content(page_data: AuthPageData) -> impl IntoView {
    let AuthPageData { mails, inbox, .. } = page_data;
    let sentence = if mails { t!("auth.forgot_password.sentence") } else { t!("auth.forgot_password.without_mail") };
    let form = mails.then(|| {
        let action = form_action::<RequestMail>();
        view! {
            <AskAddress
                action
                purpose=MailPurpose::Reset
                email=inbox.map(|mail| mail.email)
                submit=t!("auth.forgot_password.submit")
            />
        }
    });
    view! {
        <AuthColumn title=t!("auth.forgot_password.title") sentence>
            {form}
            <BackToSignIn />
        </AuthColumn>
    }
    .into_any()
}
