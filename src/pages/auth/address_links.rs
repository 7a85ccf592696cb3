//! Links to addresses. Opening one does nothing, because programs that look through mails open them too: a button does it.

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
    let words = Words {
        title: t!("auth.verify_address.title"),
        sentence: t!("auth.verify_address.sentence"),
        button: t!("auth.verify_address.submit"),
        done: "verified",
        result: t!("auth.verify_address.done"),
        // Whoever is signed in is led on from there.
        on: ("/sign-in?done=verified", t!("auth.verify_address.go_on")),
    };
    let pending = action.pending();
    let form = move |inner: AnyView| view! { <ActionForm action>{inner}</ActionForm> }.into_any();
    page(words, action_error(action), action_done(action), pending.into(), form)
}

/// `/confirm-address?token=…`
#[component]
pub fn ConfirmAddressPage() -> impl IntoView {
    let action = form_action::<ConfirmAddressChange>();
    let words = Words {
        title: t!("auth.change_address.title"),
        sentence: t!("auth.change_address.sentence"),
        button: t!("auth.change_address.submit"),
        done: "changed",
        result: t!("auth.change_address.done"),
        on: ("/", t!("auth.change_address.go_on")),
    };
    let pending = action.pending();
    let form = move |inner: AnyView| view! { <ActionForm action>{inner}</ActionForm> }.into_any();
    page(words, action_error(action), action_done(action), pending.into(), form)
}

/// What such a page says.
#[derive(Clone, Copy)]
struct Words {
    title: &'static str,
    sentence: &'static str,
    button: &'static str,
    /// The word in the address after a plain form.
    done: &'static str,
    result: &'static str,
    /// Where to go then, and what the link says.
    on: (&'static str, &'static str),
}

/// The page; `form` puts the form around what is in it.
fn page(
    words: Words,
    error: Signal<Option<AppError>>,
    done: Signal<Option<bool>>,
    pending: Signal<bool>,
    form: impl FnOnce(AnyView) -> AnyView,
) -> AnyView {
    let (token, named) = use_query_map().with_untracked(|query| {
        (query.get("token").filter(|token| !token.is_empty()), query.get_str("done") == Some(words.done))
    });
    if named {
        return view! {
            <PageTitle text=words.title />
            <AuthColumn title=words.title sentence="">
                <Followed words />
            </AuthColumn>
        }
        .into_any();
    }
    let Some(token) = token else { return view! { <PageTitle text=words.title /> <IncompleteLink /> }.into_any() };
    focus_error(error, &[], "link-error");
    let done = Memo::new(move |_| done.get() == Some(true));
    let inner = view! {
        <div class="grid gap-5">
            <FormError error=form_error(error, &[]) id="link-error" />
            <input type="hidden" name="token" value=token />
            <button class="btn btn-primary min-h-11" type="submit" aria-busy=move || pending.get().to_string()>
                {words.button}
            </button>
        </div>
    };
    let form = form(inner.into_any());
    view! {
        <PageTitle text=words.title />
        <AuthColumn title=words.title sentence="">
            <div hidden=move || done.get()>
                <p class="mb-8 text-ink-soft">{words.sentence}</p>
                {form}
            </div>
            {move || done.get().then(|| view! { <Followed words /> })}
        </AuthColumn>
    }
    .into_any()
}

/// What came of it.
#[component]
fn Followed(words: Words) -> impl IntoView {
    let (href, link) = words.on;
    view! {
        <FlashMessage words=Some(words.result) />
        <a class="btn btn-primary min-h-11 w-full" href=href>
            {link}
        </a>
    }
    .into_any()
}
