use leptos::prelude::*;

/// The checkbox to stay signed in on this device ("remember me").
#[component]
pub fn RememberMe() -> impl IntoView {
    view! {
        <label class="flex min-h-8 cursor-pointer items-center gap-2.5 text-ink-soft" for="remember">
            <input class="checkbox" id="remember" type="checkbox" name="remember" value="on" />
            {t!("auth.remember")}
        </label>
    }
}
