//! The page of a mailed link: incomplete, dead, or one that works.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    ask_address::AskAddress, back_to_sign_in::BackToSignIn, column::AuthColumn, incomplete_link::IncompleteLink,
};
use crate::{
    components::{FormError, PageTitle},
    domain::{AppError, CheckedLink, LinkPage, MailPurpose},
    pages::{
        shell::{LoadedStandalone, page_resource, set_status},
        toolkit::form_action,
    },
    server_fns::recovery::{RequestMail, check_link},
};

/// A link that was opened.
#[derive(Debug, Clone)]
pub struct OpenedLink {
    /// The page of the link.
    pub page: LinkPage,
    /// The secret in the link.
    pub token: String,
    /// The address to which this browser has requested a mail last.
    pub requested_for: Option<String>,
}

/// The page of the link with the token in the URL. `form` renders the form of a link that works.
pub fn link_page(page: LinkPage, title: &'static str, form: fn(OpenedLink) -> AnyView) -> AnyView {
    let token = use_query_map().with_untracked(|query| query.get("token")).filter(|token| !token.is_empty());
    let Some(token) = token else { return view! { <PageTitle text=title /> <IncompleteLink /> }.into_any() };
    let checked = token.clone();
    let link = page_resource(|| (), move |()| check_link(page, checked.clone()));
    view! {
        <PageTitle text=title />
        <LoadedStandalone
            data=link
            view=move |CheckedLink { works, requested_for }| {
                let link = OpenedLink { page, token: token.clone(), requested_for };
                if works {
                    return form(link);
                }
                set_status(410);
                view! {
                    <AuthColumn title sentence="">
                        <DeadLink link />
                    </AuthColumn>
                }
                    .into_any()
            }
        />
    }
    .into_any()
}

/// Whether the error says that the link is dead.
pub fn is_dead(error: Signal<Option<AppError>>) -> Memo<bool> {
    Memo::new(move |_| error.with(|error| error.as_ref().is_some_and(|error| error.field() == Some("token"))))
}

/// Says that a link is dead, and how to get another one. Its message has the id `dead-link`.
#[component]
pub fn DeadLink(
    /// The link.
    link: OpenedLink,
) -> impl IntoView {
    let way_on = match link.page {
        LinkPage::VerifyAddress => {
            let action = form_action::<RequestMail>();
            view! {
                <p class="mb-5 text-ink-soft">{t!("auth.inbox.ask_sentence")}</p>
                <AskAddress
                    action
                    purpose=MailPurpose::Confirmation
                    email=link.requested_for
                    submit=t!("auth.inbox.submit")
                />
            }
            .into_any()
        }
        LinkPage::ConfirmAddress => way_to("/settings#address", t!("auth.dead_link.change_again")),
        LinkPage::ResetPassword => way_to("/forgot-password", t!("auth.inbox.submit")),
    };
    view! {
        <div class="mb-6">
            <FormError error=Signal::stored(Some(t!("error.link_dead").to_owned())) id="dead-link" />
        </div>
        {way_on}
        <BackToSignIn />
    }
    .into_any()
}

fn way_to(href: &'static str, text: &'static str) -> AnyView {
    view! {
        <a class="btn btn-primary min-h-11 w-full" href=href>
            {text}
        </a>
    }
    .into_any()
}
