//! Ways in besides a password, and what the pages of strangers say.

use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};
use leptos_router::{hooks::use_query_map, location::Url};

use crate::{
    components::{
        FormError, Glyph, Icon,
        browser::{can_offer_passkeys, has_passkeys, offer_passkey, stop_asking, use_passkey},
    },
    domain::IdentityProvider,
    server_fns::factors::{begin_passkey_check, begin_passkey_sign_in, finish_passkey_check, finish_passkey_sign_in},
};

/// What a passkey is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyFor {
    /// Signing in with nothing else.
    SignIn,
    /// The second step of a sign-in.
    SecondStep,
}

/// Where to go after the sign-in, as the address of this page says.
pub fn next() -> Option<String> {
    use_query_map().with_untracked(|query| query.get("next"))
}

/// The address of another page of strangers, which leads to the same place in the end.
pub fn with_next(path: &str, next: Option<&str>) -> String {
    next.map_or_else(|| path.to_owned(), |next| format!("{path}?next={}", Url::escape(next)))
}

/// What was done on another page, which led here.
#[component]
pub fn Told(
    /// A sentence; nothing where nothing was done.
    words: Option<&'static str>,
) -> impl IntoView {
    words.map(|words| {
        view! {
            <div class="notice mb-6" role="status">
                <Icon glyph=Glyph::Check />
                <p class="min-w-0">{words}</p>
            </div>
        }
    })
}

/// The buttons below a form: a passkey, where the browser and the server can, and identity providers. They are plain
/// forms, which the browser sends itself.
#[component]
pub fn OtherWays(
    /// Where one can go.
    providers: Vec<IdentityProvider>,
    /// What a passkey would be asked for, where the server can.
    #[prop(default = None)]
    passkey: Option<PasskeyFor>,
    /// Where to go afterwards.
    next: Option<String>,
    /// The token of the invitation with which somebody comes.
    #[prop(default = None)]
    invitation: Option<String>,
) -> impl IntoView {
    let can = RwSignal::new(false);
    // The server knows nothing of the browser, so the button comes when the scripts have taken over.
    Effect::new(move || can.set(passkey.is_some() && has_passkeys()));
    let any = !providers.is_empty();
    let after = next.clone();
    let providers = providers.into_iter().map(|provider| {
        view! {
            <form method="post" action=format!("/auth/{}/start", provider.name)>
                {next.clone().map(|next| view! { <input type="hidden" name="next" value=next /> })}
                {invitation
                    .clone()
                    .map(|token| view! { <input type="hidden" name="invitation" value=token /> })}
                <button class="btn btn-line min-h-11 w-full whitespace-normal" type="submit">
                    {format!("Continue with {}", provider.label)}
                </button>
            </form>
        }
    });
    let providers = providers.collect_view();
    let passkey = passkey.unwrap_or(PasskeyFor::SignIn);
    view! {
        {move || (any || can.get()).then(|| view! { <Or /> })}
        <div class="grid gap-3">
            {move || {
                let next = after.clone();
                can.get().then(|| view! { <PasskeyButton purpose=passkey next /> })
            }} {providers}
        </div>
    }
    .into_any()
}

/// A line between two ways.
#[component]
fn Or() -> impl IntoView {
    view! {
        <p class="my-6 flex items-center gap-3 text-label text-ink-faint">
            <span class="h-px flex-1 bg-line"></span>
            "or"
            <span class="h-px flex-1 bg-line"></span>
        </p>
    }
}

#[component]
fn PasskeyButton(purpose: PasskeyFor, next: Option<String>) -> impl IntoView {
    let problem = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let on_click = move |_| {
        let next = next.clone();
        problem.set(None);
        busy.set(true);
        spawn_local(async move {
            // The page may be gone by now.
            if let Err(words) = ask(purpose, next, false).await {
                problem.try_set(words);
            }
            busy.try_set(false);
        });
    };
    let words = match purpose {
        PasskeyFor::SignIn => "Sign in with a passkey",
        PasskeyFor::SecondStep => "Use a passkey",
    };
    view! {
        <FormError error=problem id="passkey-error" />
        <button
            class="btn btn-line min-h-11 w-full"
            type="button"
            aria-busy=move || busy.get().to_string()
            on:click=on_click
        >
            {words}
        </button>
    }
    .into_any()
}

/// Lets the browser offer passkeys in the field of the address, until the page is left.
pub fn offer_in_field(next: Option<String>) {
    let here = StoredValue::new(());
    Effect::new(move || {
        let next = next.clone();
        spawn_local(async move {
            if can_offer_passkeys().await && here.try_get_value().is_some() {
                // Nobody has asked for it, so nothing is said where it fails.
                let _ = ask(PasskeyFor::SignIn, next, true).await;
            }
        });
    });
    on_cleanup(stop_asking);
}

/// Asks for a passkey and signs in with it. The server leads on. An error is what there is to say of it.
async fn ask(purpose: PasskeyFor, next: Option<String>, in_field: bool) -> Result<(), Option<String>> {
    let begun = match purpose {
        PasskeyFor::SignIn => begin_passkey_sign_in().await,
        PasskeyFor::SecondStep => begin_passkey_check().await,
    };
    let options = begun.map_err(|error| Some(error.to_string()))?;
    let credential = if in_field { offer_passkey(&options).await } else { use_passkey(&options).await };
    let credential = credential.map_err(|none| none.words().map(str::to_owned))?;
    let done = match purpose {
        PasskeyFor::SignIn => finish_passkey_sign_in(credential, wants_to_stay(), next).await,
        PasskeyFor::SecondStep => finish_passkey_check(credential, next).await,
    };
    done.map_err(|error| Some(error.to_string()))
}

/// Whether the box for staying signed in is ticked.
fn wants_to_stay() -> bool {
    let input = document().get_element_by_id("remember");
    input.and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok()).is_some_and(|input| input.checked())
}
