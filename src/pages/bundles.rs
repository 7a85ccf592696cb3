//! The pages in bundles (code splitting). The browser loads a bundle when it shows the first page of it: signed-out
//! visitors do not load the chat, and the chat does not load the settings.

use leptos::prelude::*;
use leptos_router::LazyRoute;

use crate::i18n;
#[cfg(feature = "ssr")]
use crate::server::site::{ScriptStart, Site};
#[cfg(feature = "hydrate")]
use crate::{components::browser::load_when_connected, domain::AppError};

use super::{
    admin::{AuditPage, JobsPage, ModelsPage, PeoplePage, PersonPage},
    auth::{
        CheckInboxPage, ConfirmAddressPage, ForgotPasswordPage, ResetPasswordPage, SignInCodePage, SignInPage,
        SignUpPage, VerifyAddressPage,
    },
    chat::{ChatPage, NewChatPage},
    legal::{PrivacyPage, TermsPage},
    sessions::SessionsPage,
    settings::{AppearancePage, DataPage, ProfilePage, ReauthPage, SecurityPage},
    shell::{FramePage, NotFoundPage},
};

/// Defines a bundle: its type, the function that renders one of its pages (also the name of the bundle), the function
/// that loads it, its texts, and the pages as routes.
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
                // Both are loaded at the same time on the first page, but no page is rendered before its texts have arrived.
                // Later the texts are first: they tell whether the server can be reached, while the code of a bundle that
                // cannot be loaded leaves an error in the console.
                if !is_hydrated() {
                    leptos::task::spawn_local(async {
                        let _ = $load().await;
                    });
                }
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
                    // A failure is handled when the page is shown.
                    if i18n::load($texts).await.is_ok() {
                        let _ = $load().await;
                    }
                }
            }
        )+
    };
}

bundle! {
    /// Pages for signed-out visitors.
    AuthBundle, auth, load_auth, i18n::Bundle::AUTH: SignIn => SignInPage, SignUp => SignUpPage,
        SignInCode => SignInCodePage, ForgotPassword => ForgotPasswordPage,
        CheckInbox => CheckInboxPage, ResetPassword => ResetPasswordPage,
        VerifyAddress => VerifyAddressPage, ConfirmAddress => ConfirmAddressPage,
        Privacy => PrivacyPage, Terms => TermsPage,
}

bundle! {
    /// The frame and the chat pages.
    ChatBundle, chat, load_chat, i18n::Bundle::CHAT: Frame => FramePage, NewChat => NewChatPage, Chat => ChatPage,
        UnknownUrl => NotFoundPage,
}

bundle! {
    /// The list of chats, the account settings, and administration.
    AdminBundle, admin, load_admin, i18n::Bundle::ADMIN: Sessions => SessionsPage, Settings => ProfilePage,
        SettingsAppearance => AppearancePage, SettingsSecurity => SecurityPage, SettingsData => DataPage, Reauth => ReauthPage,
        People => PeoplePage, Person => PersonPage, Audit => AuditPage, Jobs => JobsPage,
        ModelSetup => ModelsPage,
}

/// The files that already have a preload link in the head of the page.
#[cfg(not(feature = "hydrate"))]
#[derive(Clone, Default)]
struct Preloaded(ArcStoredValue<Vec<String>>);

#[cfg(not(feature = "hydrate"))]
impl Preloaded {
    /// Those of the page, unless its scripts only start at an interaction: then nothing is preloaded.
    #[cfg(feature = "ssr")]
    fn of_page() -> Option<Self> {
        use_context::<ScriptStart>().filter(|start| *start == ScriptStart::Immediate)?;
        use_context()
    }

    /// Adds a file. Returns whether it was new.
    fn insert(&self, file: &str) -> bool {
        let mut named = self.0.write_value();
        let is_new = !named.iter().any(|known| known == file);
        if is_new {
            named.push(file.to_owned());
        }
        is_new
    }
}

/// Provides the set of preloaded files, so that each file is linked once per request. Call it once, around all pages.
pub fn provide_preloaded() {
    #[cfg(not(feature = "hydrate"))]
    provide_context(Preloaded::default());
}

/// Adds preload links for the files of a bundle to the head, so that the browser requests them early.
///
/// The framework's `prefetch_lazy_fn_on_server` is not usable: it writes the links once the page is ready, into the
/// context of the request that its thread started last, so some pages randomly lack them.
#[cfg(feature = "ssr")]
fn preload(bundle: &str, texts: i18n::Bundle) {
    use leptos_meta::Link;

    preload_texts(texts);
    let Some((site, preloaded)) = use_context::<Site>().zip(Preloaded::of_page()) else { return };
    // Rendering a link registers it for the head and produces no output.
    for href in site.bundle(bundle).filter(|file| preloaded.insert(file)) {
        let _ = view! { <Link rel="preload" href as_="fetch" type_="application/wasm" crossorigin="anonymous" /> }
            .to_html();
    }
    let href = site.loader();
    if preloaded.insert(&href) {
        let _ = view! { <Link rel="modulepreload" href crossorigin="anonymous" /> }.to_html();
    }
}

#[cfg(not(any(feature = "hydrate", feature = "ssr")))]
fn preload(_: &str, _: i18n::Bundle) {}

/// Adds a preload link for the texts of a bundle, in the language of the page, to the head.
#[cfg(not(feature = "hydrate"))]
pub fn preload_texts(bundle: i18n::Bundle) {
    #[cfg(feature = "ssr")]
    if let Some((language, preloaded)) = use_context::<i18n::Language>().zip(Preloaded::of_page()) {
        let href = format!("{}/{}.txt", language.folder(), bundle.name);
        if preloaded.insert(&href) {
            let _ = view! { <leptos_meta::Link rel="preload" href as_="fetch" crossorigin="anonymous" /> }.to_html();
        }
    }
    #[cfg(not(feature = "ssr"))]
    let _ = bundle;
}

/// Fallback if a bundle cannot be loaded. After an upgrade of the server, its pages have other bundles: loads the whole
/// page. If the server cannot be reached, shows that and loads the page when it can. A page that is not hydrated yet came
/// from the server just now; it stays and works without scripts.
#[cfg(feature = "hydrate")]
fn load_from_server() -> AnyView {
    use super::shell::ErrorView;

    if !is_hydrated() {
        return ().into_any();
    }
    let location = leptos_router::hooks::use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    load_when_connected(&format!("{path}{}{search}", if search.is_empty() { "" } else { "?" }));
    view! {
        <div class="shown-late">
            <ErrorView error=AppError::Transport />
        </div>
    }
    .into_any()
}

#[cfg(feature = "hydrate")]
fn is_hydrated() -> bool {
    document().document_element().is_some_and(|root| root.has_attribute("data-hydrated"))
}
