//! The HTML shell and the route table.

#[cfg(feature = "ssr")]
use leptos::nonce::use_nonce;
use leptos::prelude::*;
#[cfg(feature = "ssr")]
use leptos_meta::MetaTags;
use leptos_meta::provide_meta_context;
use leptos_router::{
    Lazy, SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::pages::{
    bundles::{
        Audit, Chat, CheckInbox, ConfirmAddress, ForgotPassword, Frame, Jobs, ModelSetup, NewChat, People, Person,
        Privacy, Reauth, ResetPassword, Sessions, Settings, SettingsAppearance, SettingsData, SettingsSecurity, SignIn,
        SignInCode, SignUp, Terms, UnknownUrl, VerifyAddress, provide_preloaded,
    },
    provide_form_values,
};
#[cfg(feature = "ssr")]
use crate::{
    domain::{Appearance, Theme},
    i18n,
    pages::bundles::preload_texts,
    server::site::{ScriptStart, Site},
};

/// The HTML document around the application, rendered on the server in the reader's language.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let language = use_context::<i18n::Language>().unwrap_or_default();
    let site = use_context::<Site>().unwrap_or_default();
    let is_visitor = use_context::<ScriptStart>() != Some(ScriptStart::Immediate);
    let Appearance { theme, text_size, enter } = use_context().unwrap_or_default();
    view! {
        <!DOCTYPE html>
        <html
            lang=language.tag()
            data-texts=language.folder()
            data-visitor=is_visitor.then_some("")
            data-theme=theme.attribute()
            data-text=text_size.attribute()
            data-enter=enter.attribute()
        >
            <head>
                <meta charset="utf-8" />
                <meta
                    name="viewport"
                    content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
                />
                <meta name="color-scheme" content=theme.attribute().unwrap_or("light dark") />
                <meta name="theme-color" content="#fdfefe" {..theme_media(theme, Theme::Light)} />
                <meta name="theme-color" content="#13181a" {..theme_media(theme, Theme::Dark)} />
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <link id="leptos" rel="stylesheet" href=site.stylesheet() />
                <AutoReload options />
                {scripts(&site)}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The attribute `media`, which Leptos does not know at `<meta>`: when the browser's own surfaces have the colour of a
/// theme. `app/listeners.js` changes it with the theme.
#[cfg(feature = "ssr")]
fn theme_media(chosen: Theme, theme: Theme) -> impl leptos::attr::Attribute {
    let media = match chosen {
        Theme::System => format!("(prefers-color-scheme: {})", theme.word()),
        _ if chosen == theme => "all".to_owned(),
        _ => "not all".to_owned(),
    };
    leptos::attr::custom::custom_attribute("media", media)
}

/// Scripts that every page contains, without their comments: they are a third of them.
#[cfg(feature = "ssr")]
static SCRIPTS_OF_ALL_PAGES: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    let lines = [include_str!("app/connection.js"), include_str!("app/listeners.js")].into_iter().flat_map(str::lines);
    lines.map(str::trim).filter(|line| !line.starts_with("//")).map(|line| format!("{line}\n")).collect()
});

/// The scripts that make the page interactive. Leptos' own `HydrationScripts` and `HashedStylesheet` read a file for
/// every page.
#[cfg(feature = "ssr")]
fn scripts(site: &Site) -> impl IntoView + use<> {
    let (script, wasm, nonce) = (site.script(), site.wasm(), use_nonce());
    let is_immediate = use_context::<ScriptStart>() == Some(ScriptStart::Immediate);
    let call = if is_immediate {
        let bundles = ["chat", "admin"].map(|name| format!("{name}: {:?}", site.bundle(name).collect::<Vec<_>>()));
        let bundles = bundles.join(", ");
        format!("(\n{})({script:?}, {wasm:?}, {{ {bundles} }});", include_str!("app/start.js"))
    } else {
        format!("(\n{})({script:?}, {wasm:?});", include_str!("app/start_on_interaction.js"))
    };
    let call = format!("{}{call}", *SCRIPTS_OF_ALL_PAGES);
    let preloads = is_immediate.then(|| {
        view! {
            <link rel="modulepreload" href=script crossorigin="anonymous" />
            <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        }
    });
    view! {
        {preloads}
        <script type="module" nonce=nonce>{call}</script>
    }
}

/// The route table. Pages are rendered completely before they are sent (`SsrMode::Async`), so that they work without
/// JavaScript and have the right status code.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_form_values();
    provide_preloaded();
    #[cfg(feature = "ssr")]
    preload_texts(i18n::Bundle::COMMON);
    view! {
        <Router>
            // The last route matches everything.
            <Routes fallback=|| ()>
                <Route path=path!("/sign-in") view={Lazy::<SignIn>::new()} ssr=SsrMode::Async />
                <Route path=path!("/sign-up") view={Lazy::<SignUp>::new()} ssr=SsrMode::Async />
                <Route path=path!("/sign-in/code") view={Lazy::<SignInCode>::new()} ssr=SsrMode::Async />
                <Route path=path!("/forgot-password") view={Lazy::<ForgotPassword>::new()} ssr=SsrMode::Async />
                <Route path=path!("/check-inbox") view={Lazy::<CheckInbox>::new()} ssr=SsrMode::Async />
                <Route path=path!("/reset-password") view={Lazy::<ResetPassword>::new()} ssr=SsrMode::Async />
                <Route path=path!("/verify-address") view={Lazy::<VerifyAddress>::new()} ssr=SsrMode::Async />
                <Route path=path!("/confirm-address") view={Lazy::<ConfirmAddress>::new()} ssr=SsrMode::Async />
                <Route path=path!("/privacy") view={Lazy::<Privacy>::new()} ssr=SsrMode::Async />
                <Route path=path!("/terms") view={Lazy::<Terms>::new()} ssr=SsrMode::Async />
                <ParentRoute path=path!("") view={Lazy::<Frame>::new()} ssr=SsrMode::Async>
                    <Route path=path!("/") view={Lazy::<NewChat>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/chats/:id") view={Lazy::<Chat>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/sessions") view={Lazy::<Sessions>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings") view={Lazy::<Settings>::new()} ssr=SsrMode::Async />
                    <Route
                        path=path!("/settings/appearance")
                        view={Lazy::<SettingsAppearance>::new()}
                        ssr=SsrMode::Async
                    />
                    <Route path=path!("/settings/security") view={Lazy::<SettingsSecurity>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/data") view={Lazy::<SettingsData>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/settings/confirm") view={Lazy::<Reauth>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/people") view={Lazy::<People>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/people/:id") view={Lazy::<Person>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/audit") view={Lazy::<Audit>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/jobs") view={Lazy::<Jobs>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/models") view={Lazy::<ModelSetup>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/*any") view={Lazy::<UnknownUrl>::new()} ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
