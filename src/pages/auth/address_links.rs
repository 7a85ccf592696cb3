//! Links that confirm an e-mail address. Opening one does nothing, because mail scanners open them too; a button
//! confirms it.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{column::AuthColumn, flash_message::FlashMessage, incomplete_link::IncompleteLink};
use crate::{
    components::{FormError, PageTitle},
    domain::AppError,
    pages::toolkit::{action_done, action_error, focus_error, form_action, form_error},
    server_fns::recovery::{ConfirmAddressChange, VerifyAddress},
};

/// `/verify-address?token=…`
#[component]
pub fn VerifyAddressPage() -> impl IntoView {
    let action = form_action::<VerifyAddress>();
    let texts = PageTexts {
        title: t!("auth.verify_address.title"),
        sentence: t!("auth.verify_address.sentence"),
        button: t!("auth.verify_address.submit"),
        done: "verified",
        result: t!("auth.verify_address.done"),
        // That page redirects users who are signed in.
        next_link: ("/sign-in?done=verified", t!("auth.verify_address.go_on")),
    };
    let pending = action.pending();
    let form = move |inner: AnyView| view! { <ActionForm action>{inner}</ActionForm> }.into_any();
    link_page(texts, action_error(action), action_done(action), pending.into(), form)
}

/// `/confirm-address?token=…`
#[component]
pub fn ConfirmAddressPage() -> impl IntoView {
    let action = form_action::<ConfirmAddressChange>();
    let texts = PageTexts {
        title: t!("auth.change_address.title"),
        sentence: t!("auth.change_address.sentence"),
        button: t!("auth.change_address.submit"),
        done: "changed",
        result: t!("auth.change_address.done"),
        next_link: ("/", t!("auth.change_address.go_on")),
    };
    let pending = action.pending();
    let form = move |inner: AnyView| view! { <ActionForm action>{inner}</ActionForm> }.into_any();
    link_page(texts, action_error(action), action_done(action), pending.into(), form)
}

/// The texts of such a page.
#[derive(Clone, Copy)]
struct PageTexts {
    title: &'static str,
    sentence: &'static str,
    button: &'static str,
    /// The value of the URL parameter `done` after a submission without scripts.
    done: &'static str,
    result: &'static str,
    /// The target and the text of the link shown afterwards.
    next_link: (&'static str, &'static str),
}

/// Renders such a page; `form` wraps the content in the form.
fn link_page(
    texts: PageTexts,
    error: Signal<Option<AppError>>,
    done: Signal<Option<bool>>,
    pending: Signal<bool>,
    form: impl FnOnce(AnyView) -> AnyView,
) -> AnyView {
    let (token, is_done) = use_query_map().with_untracked(|query| {
        (query.get("token").filter(|token| !token.is_empty()), query.get_str("done") == Some(texts.done))
    });
    if is_done {
        return view! {
            <PageTitle text=texts.title />
            <AuthColumn title=texts.title sentence="">
                <LinkResult texts />
            </AuthColumn>
        }
        .into_any();
    }
    let Some(token) = token else { return view! { <PageTitle text=texts.title /> <IncompleteLink /> }.into_any() };
    focus_error(error, &[], "link-error");
    let done = Memo::new(move |_| done.get() == Some(true));
    let inner = view! {
        <div class="grid gap-5">
            <FormError error=form_error(error, &[]) id="link-error" />
            <input type="hidden" name="token" value=token />
            <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                {texts.button}
            </button>
        </div>
    };
    let form = form(inner.into_any());
    view! {
        <PageTitle text=texts.title />
        <AuthColumn title=texts.title sentence="">
            <div hidden=move || done.get()>
                <p class="mb-8 text-ink-soft">{texts.sentence}</p>
                {form}
            </div>
            {move || done.get().then(|| view! { <LinkResult texts /> })}
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
