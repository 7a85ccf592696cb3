use leptos::{form::ActionForm, prelude::*, task::spawn_local};
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::{
    components::{Field, browser::get_passkey},
    domain::{AppError, ReauthMethods, local_path},
    pages::{
        shell::{CurrentPerson, Loaded, Page, page_resource},
        toolkit::{FormErrorOrReauth, action_error, field_error, focus_error, form_action},
    },
    server_fns::security::{ConfirmIdentity, begin_passkey_confirmation, find_proof, finish_passkey_confirmation},
};

/// Re-authentication before a sensitive action.
#[component]
pub fn ReauthPage() -> impl IntoView {
    let methods = page_resource(|| (), |()| find_proof());
    view! {
        <Page title=t!("settings.confirm.title") class="column confirm">
            <Loaded data=methods view=|methods| view! { <ReauthForm methods /> }.into_any() />
        </Page>
    }
}

#[component]
fn ReauthForm(methods: ReauthMethods) -> impl IntoView {
    const FIELDS: &[&str] = &["password", "code"];
    let action = form_action::<ConfirmIdentity>();
    let error = action_error(action);
    focus_error(error, FIELDS, "confirm-error");
    let user = CurrentPerson::expect().user;
    let next = use_query_map().with_untracked(|query| query.get("next"));
    let next = local_path(Some(next.as_deref().unwrap_or("/settings"))).to_owned();
    let has_form = methods.password || methods.code;
    let ReauthMethods { password, code, passkey, providers, .. } = methods;
    let (provider_next, passkey_next) = (next.clone(), next.clone());
    let buttons = providers
        .into_iter()
        .map(|provider| {
            view! {
                <form method="post" action=format!("/auth/{}/start", provider.name)>
                    <input type="hidden" name="purpose" value="confirm" />
                    <input type="hidden" name="next" value=provider_next.clone() />
                    <button class="btn btn-line w-full min-h-11" type="submit">
                        {t!("settings.confirm.continue_with", provider = provider.label)}
                    </button>
                </form>
            }
        })
        .collect_view();
    view! {
        <div class="mx-auto grid w-full max-w-[360px] gap-5 pt-[8vh]">
            <div>
                <h1 class="text-title font-semibold">{t!("settings.confirm.title")}</h1>
                <p class="mt-1 text-ink-soft">{t!("settings.confirm.sentence")}</p>
            </div>
            {has_form
                .then(|| {
                    view! {
                        <ActionForm action>
                            <div class="grid gap-5">
                                <FormErrorOrReauth error fields=FIELDS id="confirm-error" next="/settings" />
                                <input type="hidden" name="next" value=next.clone() />
                                <input
                                    class="sr-only"
                                    type="text"
                                    autocomplete="username"
                                    aria-hidden="true"
                                    tabindex="-1"
                                    readonly
                                    value=user.with_untracked(|user| user.email.clone())
                                />
                                {password
                                    .then(|| {
                                        view! {
                                            <Field
                                                name="password"
                                                label=t!("settings.confirm.password")
                                                kind="password"
                                                autocomplete="current-password"
                                                error=field_error(error, "password")
                                            />
                                        }
                                    })}
                                {code
                                    .then(|| {
                                        view! {
                                            <Field
                                                name="code"
                                                label=t!("settings.confirm.code")
                                                autocomplete="one-time-code"
                                                error=field_error(error, "code")
                                            />
                                        }
                                    })}
                                <button
                                    class="btn btn-primary min-h-11"
                                    type="submit"
                                    aria-busy=move || action.pending().get().to_string()
                                >
                                    {t!("settings.confirm.submit")}
                                </button>
                            </div>
                        </ActionForm>
                    }
                })}
            {passkey.then(|| view! { <ReauthWithPasskey next=passkey_next /> })}
            {buttons}
        </div>
    }
    .into_any()
}

#[component]
fn ReauthWithPasskey(next: String) -> impl IntoView {
    let error = RwSignal::new(None::<AppError>);
    let navigate = use_navigate();
    let on_click = move |_| {
        let (next, navigate) = (next.clone(), navigate.clone());
        error.set(None);
        spawn_local(async move {
            match reauthenticate_with_passkey(next.clone()).await {
                Ok(()) => navigate(&next, leptos_router::NavigateOptions::default()),
                Err(failure) => {
                    error.try_set(failure);
                }
            }
        });
    };
    view! {
        <div class="js-only grid gap-3">
            <FormErrorOrReauth error=error.into() id="passkey-confirm-error" next="/settings" />
            <button class="btn btn-line min-h-11" type="button" on:click=on_click>
                {t!("settings.confirm.passkey")}
            </button>
        </div>
        <p class="hint nojs-only">{t!("settings.confirm.passkey_no_scripts")}</p>
    }
    .into_any()
}

async fn reauthenticate_with_passkey(next: String) -> Result<(), Option<AppError>> {
    let options = begin_passkey_confirmation().await.map_err(Some)?;
    let credential = get_passkey(&options).await;
    let credential =
        credential.map_err(|error| error.reason().map(|reason| AppError::invalid("credential", reason)))?;
    finish_passkey_confirmation(credential, Some(next)).await.map_err(Some)
}
