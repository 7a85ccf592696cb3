use leptos::{form::ActionForm, prelude::*, task::spawn_local};
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::{
    components::{Field, browser::use_passkey},
    domain::{AppError, Proof, local_path},
    pages::{
        shell::{CurrentPerson, Loaded, Page},
        toolkit::{FormErrorOrConfirm, action_error, field_error, focus_error, form_action},
    },
    server_fns::security::{ConfirmIdentity, begin_passkey_confirmation, find_proof, finish_passkey_confirmation},
};

/// Proving again who one is, before something that matters.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let proof = Resource::new_blocking(|| (), |()| find_proof());
    view! {
        <Page title=t!("settings.confirm.title") class="column confirm">
            <Loaded data=proof view=|proof| view! { <ConfirmMethods proof /> }.into_any() />
        </Page>
    }
}

#[component]
fn ConfirmMethods(proof: Proof) -> impl IntoView {
    const FIELDS: &[&str] = &["password", "code"];
    let action = form_action::<ConfirmIdentity>();
    let error = action_error(action);
    focus_error(error, FIELDS, "confirm-error");
    let user = CurrentPerson::expect().user;
    let next = use_query_map().with_untracked(|query| query.get("next"));
    let next = local_path(Some(next.as_deref().unwrap_or("/settings"))).to_owned();
    let has_form = proof.password || proof.code;
    let Proof { password, code, passkey, providers, .. } = proof;
    let (to, of_passkey) = (next.clone(), next.clone());
    let buttons = providers
        .into_iter()
        .map(|provider| {
            view! {
                <form method="post" action=format!("/auth/{}/start", provider.name)>
                    <input type="hidden" name="purpose" value="confirm" />
                    <input type="hidden" name="next" value=to.clone() />
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
                                <FormErrorOrConfirm error fields=FIELDS id="confirm-error" next="/settings" />
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
            {passkey.then(|| view! { <ByPasskey next=of_passkey /> })}
            {buttons}
        </div>
    }
    .into_any()
}

#[component]
fn ByPasskey(next: String) -> impl IntoView {
    let error = RwSignal::new(None::<AppError>);
    let navigate = use_navigate();
    let ask = move |_| {
        let (next, navigate) = (next.clone(), navigate.clone());
        error.set(None);
        spawn_local(async move {
            match confirm(next.clone()).await {
                Ok(()) => navigate(&next, leptos_router::NavigateOptions::default()),
                Err(wrong) => {
                    error.try_set(wrong);
                }
            }
        });
    };
    view! {
        <div class="js-only grid gap-3">
            <FormErrorOrConfirm error=error.into() id="passkey-confirm-error" next="/settings" />
            <button class="btn btn-line min-h-11" type="button" on:click=ask>
                {t!("settings.confirm.passkey")}
            </button>
        </div>
        <p class="hint nojs-only">{t!("settings.confirm.passkey_no_scripts")}</p>
    }
    .into_any()
}

async fn confirm(next: String) -> Result<(), Option<AppError>> {
    let options = begin_passkey_confirmation().await.map_err(Some)?;
    let credential = use_passkey(&options).await;
    let credential = credential.map_err(|none| none.reason().map(|reason| AppError::invalid("credential", reason)))?;
    finish_passkey_confirmation(credential, Some(next)).await.map_err(Some)
}
