//! Links that confirm an e-mail address. Opening one does nothing, because mail scanners open them too; a button
//! confirms it.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{
    column::AuthColumn,
    flash_message::FlashMessage,
    link_page::{DeadLink, OpenedLink, is_dead, link_page},
};
use crate::{
    components::{FormError, PageTitle},
    domain::{AppError, LinkPage},
    pages::toolkit::{action_done, action_error, focus_error, form_action, form_error},
    server_fns::recovery::{ConfirmAddressChange, VerifyAddress},
};

/// `/verify-address?token=…`
#[component]
pub fn VerifyAddressPage() -> impl IntoView {
    address_page(verify_texts(), |link| {
        let action = form_action::<VerifyAddress>();
        let (error, done, pending) = (action_error(action), action_done(action), action.pending());
        let form = move |inner: AnyView| view! { <ActionForm action>{inner}</ActionForm> }.into_any();
        confirm_form(verify_texts(), link, error, done, pending.into(), form)
    })
}

/// `/confirm-address?token=…`
#[component]
pub fn ConfirmAddressPage() -> impl IntoView {
    address_page(change_texts(), |link| {
        let action = form_action::<ConfirmAddressChange>();
        let (error, done, pending) = (action_error(action), action_done(action), action.pending());
        let form = move |inner: AnyView| view! { <ActionForm action>{inner}</ActionForm> }.into_any();
        confirm_form(change_texts(), link, error, done, pending.into(), form)
    })
}

fn verify_texts() -> PageTexts {
    PageTexts {
        page: LinkPage::VerifyAddress,
        title: t!("auth.verify_address.title"),
        sentence: t!("auth.verify_address.sentence"),
        button: t!("auth.verify_address.submit"),
        done: "verified",
        result: t!("auth.verify_address.done"),
        // Visitors are redirected to the sign-in page instead.
        next_link: ("/", t!("auth.verify_address.go_on")),
    }
}

fn change_texts() -> PageTexts {
    PageTexts {
        page: LinkPage::ConfirmAddress,
        title: t!("auth.change_address.title"),
        sentence: t!("auth.change_address.sentence"),
        button: t!("auth.change_address.submit"),
        done: "changed",
        result: t!("auth.change_address.done"),
        next_link: ("/", t!("auth.change_address.go_on")),
    }
}

/// The texts of such a page.
#[derive(Clone, Copy)]
struct PageTexts {
    page: LinkPage,
    title: &'static str,
    sentence: &'static str,
    button: &'static str,
    /// The value of the URL parameter `done` after a submission without scripts.
    done: &'static str,
    result: &'static str,
    /// The target and the text of the link shown afterwards.
    next_link: (&'static str, &'static str),
}

/// Renders such a page: its result, or `form` for the link.
fn address_page(texts: PageTexts, form: fn(OpenedLink) -> AnyView) -> AnyView {
    if use_query_map().with_untracked(|query| query.get_str("done") == Some(texts.done)) {
        return view! {
            <PageTitle text=texts.title />
            <AuthColumn title=texts.title sentence="">
                <LinkResult texts />
            </AuthColumn>
        }
        .into_any();
    }
    link_page(texts.page, texts.title, form)
}

/// The form of a link that works; `form` wraps its content.
fn confirm_form(
    texts: PageTexts,
    link: OpenedLink,
    error: Signal<Option<AppError>>,
    done: Signal<Option<bool>>,
    pending: Signal<bool>,
    form: impl FnOnce(AnyView) -> AnyView,
) -> AnyView {
    focus_error(error, &[], "link-error");
    focus_error(error, &[], "dead-link");
    let (done, dead) = (Memo::new(move |_| done.get() == Some(true)), is_dead(error));
    let inner = view! {
        <div class="grid gap-5">
            <FormError error=form_error(error, &[]) id="link-error" />
            <input type="hidden" name="token" value=link.token.clone() />
            <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                {texts.button}
            </button>
        </div>
    };
    let form = form(inner.into_any());
    view! {
        <AuthColumn title=texts.title sentence="">
            <div hidden=move || done.get() || dead.get()>
                <p class="mb-8 text-ink-soft">{texts.sentence}</p>
                {form}
            </div>
            {move || done.get().then(|| view! { <LinkResult texts /> })}
            {move || dead.get().then(|| view! { <DeadLink link=link.clone() /> })}
        </AuthColumn>
    }
    .into_any()
}

/// The result after the button was pressed.
#[component]
fn LinkResult(texts: PageTexts) -> impl IntoView {
    let (href, link) = texts.next_link;
    view! {
        <FlashMessage text=Some(texts.result) />
        <a class="btn btn-primary min-h-11 w-full" href=href>
            {link}
        </a>
    }
    .into_any()
}
