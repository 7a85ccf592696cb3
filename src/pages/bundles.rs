//! The pages in bundles, each of which the browser loads when the first page of it is shown: strangers need not load
//! the chat, nor people who chat what stands in the settings.

use leptos::prelude::*;
use leptos_router::LazyRoute;

use crate::i18n;

use super::{
    admin::{AuditPage, JobsPage, PeoplePage, PersonPage},
    auth::{
        ConfirmAddressPage, ForgotPasswordPage, ResetPasswordPage, SignInCodePage, SignInPage, SignUpPage,
        VerifyAddressPage,
    },
    chat::{ChatPage, NewChatPage},
    legal::{PrivacyPage, TermsPage},
    sessions::SessionsPage,
    settings::{ConfirmPage, SettingsPage},
    shell::FramePage,
};

/// A bundle: its type, the function that shows one of its pages (whose name is the bundle's), the function that loads
/// it, its texts, and the pages as routes.
macro_rules! bundle {
    ($(#[$meta:meta])* $bundle:ident, $show:ident, $load:ident, $texts:path: $($route:ident => $page:ident),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        enum $bundle {
            $($route),+
        }

        #[cfg(feature = "hydrate")]
        #[leptos::wasm_split::wasm_split($show, wasm_split_path = leptos::wasm_split, preload($load), fallible)]
        fn $show(page: $bundle) -> Result<AnyView, leptos::wasm_split::SplitLoaderError> {
            Ok(match page {
                $($bundle::$route => view! { <$page /> }.into_any()),+
            })
        }

        impl $bundle {
            #[cfg(feature = "hydrate")]
            async fn view(self) -> AnyView {
                // Both are on their way at once, but no page is made before its texts are there.
                leptos::task::spawn_local(async {
                    let _ = $load().await;
                });
                match i18n::load($texts).await {
                    Ok(()) => $show(self).await.unwrap_or_else(|_| load_from_server()),
                    Err(i18n::LoadError) => load_from_server(),
                }
            }

            #[cfg(not(feature = "hydrate"))]
            fn view(self) -> std::future::Ready<AnyView> {
                preload(stringify!($show), $texts);
                std::future::ready(match self {
                    $(Self::$route => view! { <$page /> }.into_any()),+
                })
            }
        }

        $(
            #[doc = concat!("The route of `", stringify!($page), "`.")]
            #[derive(Debug)]
            pub struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_this: Self) -> AnyView {
                    $bundle::$route.view().await
                }

                async fn preload() {
                    #[cfg(feature = "hydrate")]
                    // Who cannot load it now is told when it is shown.
                    let _ = ($load().await, i18n::load($texts).await);
                }
            }
        )+
    };
}

bundle! {
    /// For people who are not signed in.
    AuthBundle, auth, load_auth, i18n::Bundle::AUTH: SignIn => SignInPage, SignUp => SignUpPage,
        SignInCode => SignInCodePage, ForgotPassword => ForgotPasswordPage, ResetPassword => ResetPasswordPage,
        VerifyAddress => VerifyAddressPage, ConfirmAddress => ConfirmAddressPage,
        Privacy => PrivacyPage, Terms => TermsPage,
}

bundle! {
    /// What people chat with.
    ChatBundle, chat, load_chat, i18n::Bundle::CHAT: Frame => FramePage, NewChat => NewChatPage, Chat => ChatPage,
}

bundle! {
    /// For looking after chats, one's account, and the installation.
    AdminBundle, admin, load_admin, i18n::Bundle::ADMIN: Sessions => SessionsPage, Settings => SettingsPage, Confirm => ConfirmPage,
        People => PeoplePage, Person => PersonPage, Audit => AuditPage, Jobs => JobsPage,
}

/// The files that the page's head names already.
#[cfg(not(feature = "hydrate"))]
#[derive(Clone, Default)]
struct Preloaded(ArcStoredValue<Vec<String>>);

#[cfg(not(feature = "hydrate"))]
impl Preloaded {
    /// Whether the head does not name the file yet. From now on it does.
    fn is_new(&self, file: &str) -> bool {
        let mut named = self.0.write_value();
        let is_new = !named.iter().any(|known| known == file);
        if is_new {
            named.push(file.to_owned());
        }
        is_new
    }
}

/// Lets the pages of a request name the files of their bundles, each file once. Call it once, around all pages.
pub fn provide_preloaded() {
    #[cfg(not(feature = "hydrate"))]
    provide_context(Preloaded::default());
}

/// Has the page name the files of a bundle in its head, so that the browser asks for them early.
///
/// The framework's `prefetch_lazy_fn_on_server` does not do: it writes the links once the page is ready, into the context
/// of whatever request its thread has begun last, so that at random a page comes without them.
#[cfg(not(feature = "hydrate"))]
fn preload(bundle: &str, texts: i18n::Bundle) {
    use leptos_meta::Link;

    preload_texts(texts);
    let contexts = use_context::<leptos::WasmSplitManifest>().zip(use_context::<Preloaded>());
    let Some((manifest, preloaded)) = contexts else { return };
    let (folder, files, loader) = &*manifest.0.read_value();
    // Rendering a link registers it for the head and gives nothing.
    for file in files.get(bundle).into_iter().flatten().filter(|file| preloaded.is_new(file)) {
        let href = format!("{folder}/{file}.wasm");
        let _ = view! { <Link rel="preload" href as_="fetch" type_="application/wasm" crossorigin="anonymous" /> }
            .to_html();
    }
    if preloaded.is_new(loader) {
        let href = format!("{folder}/{loader}");
        let _ = view! { <Link rel="modulepreload" href crossorigin="anonymous" /> }.to_html();
    }
}

/// Has the page name the files of its language in its head.
#[cfg(not(feature = "hydrate"))]
pub fn preload_texts(bundle: i18n::Bundle) {
    #[cfg(feature = "ssr")]
    if let Some((language, preloaded)) = use_context::<i18n::Language>().zip(use_context::<Preloaded>()) {
        let href = format!("{}/{}.txt", language.folder(), bundle.name);
        if preloaded.is_new(&href) {
            let _ = view! { <leptos_meta::Link rel="preload" href as_="fetch" crossorigin="anonymous" /> }.to_html();
        }
    }
    #[cfg(not(feature = "ssr"))]
    let _ = bundle;
}

/// Fetches the other bundles while nothing else is to be done, so that they are there without the network too.
pub fn load_the_rest() {
    #[cfg(feature = "hydrate")]
    set_timeout(
        || {
            leptos::task::spawn_local(async {
                // What cannot be loaded now is asked for again when it is needed.
                let _ = (load_chat().await, load_admin().await);
                let _ = (i18n::load(i18n::Bundle::CHAT).await, i18n::load(i18n::Bundle::ADMIN).await);
            });
        },
        std::time::Duration::from_secs(2),
    );
}

/// The way on where a bundle cannot be loaded, as after a change of the server's version: the server sends the whole
/// page. A page that came from it just now stays as it is, and works without scripts.
#[cfg(feature = "hydrate")]
fn load_from_server() -> AnyView {
    let location = leptos_router::hooks::use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let awake = document().document_element().is_some_and(|root| root.has_attribute("data-hydrated"));
    if awake {
        // Leaving for a path of this site does not fail.
        let _ = window().location().set_href(&format!("{path}{}{search}", if search.is_empty() { "" } else { "?" }));
    }
    ().into_any()
}
