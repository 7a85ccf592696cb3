//! The HTML shell and the route table.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::pages::{
    ChatPage, ConfirmAddressPage, ForgotPasswordPage, FramePage, NewChatPage, NotFoundPage, ResetPasswordPage,
    SessionsPage, SettingsPage, SignInCodePage, SignInPage, SignUpPage, VerifyAddressPage, provide_typed,
};

/// The document around the application, as the server sends it.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta
                    name="viewport"
                    content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
                />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#fbfcfc" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0c1114" />
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <HashedStylesheet id="leptos" options=options.clone() />
                <AutoReload options=options.clone() />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The route table. Pages are sent whole (`Async`), so that they work without scripts and their status is right.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_typed();
    // Says to tests and to styles that scripts have taken over.
    Effect::new(|| {
        if let Some(root) = document().document_element() {
            // Setting an attribute with a fixed, valid name does not fail.
            let _ = root.set_attribute("data-hydrated", "");
        }
    });
    view! {
        <Router>
            <Routes fallback=|| view! { <NotFoundPage /> }.into_any()>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/sign-up") view=SignUpPage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/code") view=SignInCodePage ssr=SsrMode::Async />
                <Route path=path!("/forgot-password") view=ForgotPasswordPage ssr=SsrMode::Async />
                <Route path=path!("/reset-password") view=ResetPasswordPage ssr=SsrMode::Async />
                <Route path=path!("/verify-address") view=VerifyAddressPage ssr=SsrMode::Async />
                <Route path=path!("/confirm-address") view=ConfirmAddressPage ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=FramePage ssr=SsrMode::Async>
                    <Route path=path!("/") view=NewChatPage ssr=SsrMode::Async />
                    <Route path=path!("/chats/:id") view=ChatPage ssr=SsrMode::Async />
                    <Route path=path!("/sessions") view=SessionsPage ssr=SsrMode::Async />
                    <Route path=path!("/settings") view=SettingsPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
