//! Where a link was mailed, and mailing it again. Nothing here depends on whether an account has the address.

use std::time::Duration;

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{ask_address::AskAddress, back_to_sign_in::BackToSignIn, column::AuthColumn, flash_message::FlashMessage};
use crate::{
    components::{FormError, PageTitle},
    domain::{MailPurpose, RequestedMail},
    pages::{
        shell::{LoadedStandalone, page_resource},
        toolkit::{action_done, action_error, action_status, focus_error, form_action, form_error},
    },
    server_fns::{account::load_entrance, recovery::RequestMail},
};

/// How long the button to send a mail again is disabled: mails take a while to arrive.
const PAUSE: Duration = Duration::from_secs(30);

/// `/check-inbox`: says where a link was mailed. Asks for the address if this browser has requested no mail.
#[component]
pub fn CheckInboxPage() -> impl IntoView {
    let asks = use_query_map().with_untracked(|query| query.get_str("with") == Some("another"));
    let action = form_action::<RequestMail>();
    let done = action_done(action);
    let is_sent = Memo::new(move |_| done.get() == Some(true));
    // The address is in a cookie that scripts cannot read.
    let page_data = page_resource(move || is_sent.get(), |_| load_entrance(None));
    view! {
        <PageTitle text=t!("auth.inbox.title") />
        <LoadedStandalone
            data=page_data
            view=move |page_data| match page_data.inbox.filter(|_| !asks || is_sent.get_untracked()) {
                Some(mail) => view! { <Sent mail /> }.into_any(),
                None => {
                    view! {
                        <AuthColumn title=t!("auth.inbox.ask_title") sentence=t!("auth.inbox.ask_sentence")>
                            <AskAddress
                                action
                                purpose=MailPurpose::Confirmation
                                email=None
                                submit=t!("auth.inbox.submit")
                            />
                            <BackToSignIn />
                        </AuthColumn>
                    }
                        .into_any()
                }
            }
        />
    }
    .into_any()
}

/// Whether the button waits: for a while after the page was reached within the application, and after each mail.
fn pause(done: Signal<Option<bool>>) -> RwSignal<bool> {
    let waits = RwSignal::new(false);
    Effect::new(move || {
        // Whoever has loaded the whole page came back to it, or the mail was requested without scripts.
        let is_in_app = document().document_element().is_some_and(|root| root.has_attribute("data-hydrated"));
        if done.get() != Some(false) && is_in_app {
            waits.set(true);
            let end = move || {
                // The page may be disposed by now.
                waits.try_set(false);
            };
            set_timeout(end, PAUSE);
        }
    });
    waits
}

/// What the page says about a mail to this address, and the path to use another one.
fn sentence(purpose: MailPurpose, email: &str) -> (AnyView, &'static str) {
    let address = || view! { <strong class="font-medium text-ink">{email.to_owned()}</strong> };
    match purpose {
        MailPurpose::SignUp => (rich!("auth.inbox.sign_up", address = |_| address()), "/sign-up"),
        MailPurpose::Confirmation => {
            (rich!("auth.inbox.confirmation", address = |_| address()), "/check-inbox?with=another")
        }
        MailPurpose::Reset => (rich!("auth.inbox.reset", address = |_| address()), "/forgot-password"),
    }
}

#[component]
fn Sent(mail: RequestedMail) -> impl IntoView {
    let RequestedMail { purpose, email } = mail;
    let action = form_action::<RequestMail>();
    let error = action_error(action);
    focus_error(error, &[], "inbox-error");
    let (pending, waits) = (action.pending(), pause(action_done(action)));
    let status = action_status(action, "again", t!("auth.inbox.sent_again"));
    let (sentence, another) = sentence(purpose, &email);
    view! {
        <AuthColumn title=t!("auth.inbox.title") sentence="">
            <p class="mb-6 text-ink-soft">{sentence}</p>
            {move || status.get().map(|text| view! { <FlashMessage text=Some(text) /> })}
            <ActionForm action>
                <div class="grid gap-5">
                    <FormError error=form_error(error, &[]) id="inbox-error" />
                    <input type="hidden" name="email" value=email />
                    <input type="hidden" name="purpose" value=purpose.as_str() />
                    <input type="hidden" name="again" value="on" />
                    <button
                        class="btn btn-line min-h-11"
                        type="submit"
                        aria-busy=move || pending.get().to_string()
                        // Not `disabled`: whoever has just pressed it keeps the focus.
                        aria-disabled=move || waits.get().then_some("true")
                        on:click=move |event| {
                            if waits.get_untracked() || pending.get_untracked() {
                                event.prevent_default();
                            }
                        }
                    >
                        {t!("auth.inbox.again")}
                    </button>
                </div>
            </ActionForm>
            <p class="hint mt-3">{t!("auth.inbox.hint")}</p>
            <p class="mt-4">
                // The same page without the address is a page of its own.
                <a
                    class="link inline-flex min-h-11 items-center"
                    href=another
                    rel=(purpose == MailPurpose::Confirmation).then_some("external")
                >
                    {t!("auth.inbox.another")}
                </a>
            </p>
            <BackToSignIn />
        </AuthColumn>
    }
    .into_any()
}
