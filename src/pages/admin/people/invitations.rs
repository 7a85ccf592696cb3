use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use crate::{
    components::{CopyLink, FormError, TimeAgo, TimeUntil},
    domain::{AppError, Invitation, NewInvitation, Role, limits},
    pages::{
        shell::ReaderTime,
        toolkit::{
            EditSection, ReauthNotice, action_done, action_error, field_error, focus_error, form_action, form_error,
            on_success,
        },
    },
    server_fns::invitations::{CreateInvitation, RevokeInvitation},
};

const FIELDS: &[&str] = &["email", "uses", "days"];

/// The actions on invitations. They outlive the lists, which are reloaded.
#[derive(Clone, Copy)]
pub struct InvitationState {
    create: ServerAction<CreateInvitation>,
    revoke: ServerAction<RevokeInvitation>,
    created: RwSignal<Option<NewInvitation>>,
}

impl InvitationState {
    /// Calls `on_change` whenever the lists must be reloaded.
    pub fn new(on_change: Callback<()>) -> Self {
        let create = form_action::<CreateInvitation>();
        let revoke = form_action::<RevokeInvitation>();
        let created = RwSignal::new(None);
        on_success(create, move |new| {
            created.set(Some(new));
            revoke.clear();
            on_change.run(());
        });
        on_success(revoke, move |()| on_change.run(()));
        Self { create, revoke, created }
    }
}

/// Invitations: a form for new ones, and the list of valid ones.
#[component]
pub fn Invitations(
    /// The valid invitations, newest first.
    open: Vec<Invitation>,
    /// The link of an invitation that was just created without scripts.
    new_link: Option<String>,
    /// Whether the server can send mail.
    mails: bool,
    /// Whether the administrator has authenticated recently.
    recently_authenticated: bool,
    /// The actions on invitations.
    state: InvitationState,
) -> impl IntoView {
    let InvitationState { create, revoke, created } = state;
    let needs_reauth = move || create.value().with(|value| matches!(value, Some(Err(AppError::ReauthRequired))));
    let (error, revoke_error) = (action_error(create), action_error(revoke));
    let revoked = action_done(revoke);
    focus_error(error, FIELDS, "invitation-error");
    let query = use_query_map();
    let status = Signal::derive(move || {
        if revoked.get() == Some(true) {
            return Some(t!("admin.invitations.revoked"));
        }
        match (
            created.with(|created| created.as_ref().map(|created| created.mailed)),
            query.with(|query| query.get("done")).as_deref(),
        ) {
            (Some(true), _) | (None, Some("mailed")) => Some(t!("admin.invitations.mailed")),
            (Some(false), _) | (None, Some("invited")) => Some(t!("admin.invitations.made")),
            (None, Some("revoked")) => Some(t!("admin.invitations.revoked")),
            _ => None,
        }
    });
    let link = move || {
        created.with(|created| created.as_ref().map(|created| created.link.clone())).or_else(|| new_link.clone())
    };
    let rows = open.into_iter().map(|invitation| view! { <InvitationRow invitation revoke /> }).collect_view();
    let hint = if mails { t!("admin.invitations.email_hint_mailed") } else { t!("admin.invitations.email_hint") };
    let rows = view! {
        {move || {
            link()
                .map(|link| {
                    view! {
                        <div class="mt-2 mb-4">
                            <p class="mb-2">{t!("admin.invitations.link_once")}</p>
                            <CopyLink label=t!("admin.invitations.link") link />
                        </div>
                    }
                })
        }}
        <FormError error=form_error(revoke_error, &[]) id="revoke-error" />
        <ul>{rows}</ul>
    }
    .into_any();
    view! {
        <EditSection
            id="invitations"
            title=t!("admin.invitations.title")
            sentence=t!("admin.invitations.intro")
            open_label=t!("admin.invitations.open")
            open=error.get_untracked().is_some()
            extra=Some(rows)
            status
        >
            {move || (!recently_authenticated || needs_reauth()).then(|| view! { <ReauthNotice /> })}
            <ActionForm action=create>
                <div class="invitation-form">
                    <FormError error=form_error(error, FIELDS) id="invitation-error" />
                    <InvitationField name="email" label=t!("admin.invitations.email") kind="email" value="" hint error=field_error(error, "email") />
                    <div>
                        <label class="label" for="role">
                            {t!("admin.invitations.role")}
                        </label>
                        <select class="input" id="role" name="role">
                            <option value="member">{t!("admin.role.member")}</option>
                            <option value="administrator">{t!("admin.role.administrator")}</option>
                        </select>
                    </div>
                    <InvitationField name="uses" label=t!("admin.invitations.uses") kind="number" value="1" max=limits::MAX_INVITATION_USES error=field_error(error, "uses") />
                    <InvitationField name="days" label=t!("admin.invitations.days") kind="number" value="7" max=limits::MAX_INVITATION_DAYS error=field_error(error, "days") />
                    <button class="btn btn-primary w-fit" type="submit" aria-busy=move || create.pending().get().to_string()>
                        {t!("admin.invitations.create")}
                    </button>
                </div>
            </ActionForm>
        </EditSection>
    }
    .into_any()
}

/// One field of the form.
#[component]
fn InvitationField(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: &'static str,
    #[prop(optional)] max: Option<u32>,
    #[prop(optional)] hint: Option<&'static str>,
    error: Signal<Option<String>>,
) -> impl IntoView {
    let number = kind == "number";
    view! {
        <div>
            <label class="label" for=name>
                {label}
            </label>
            <input
                class="input"
                id=name
                name=name
                type=kind
                value=value
                min=number.then_some("1")
                max=max
                required=number
                autocomplete="off"
                aria-invalid=move || error.get().map(|_| "true")
                aria-describedby=format!("{name}-hint")
            />
            <p class="hint" class:hint-danger=move || error.get().is_some() id=format!("{name}-hint")>
                {move || error.get().or_else(|| hint.map(str::to_owned))}
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn InvitationRow(invitation: Invitation, revoke: ServerAction<RevokeInvitation>) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let Invitation { id, email, role, uses_left, created_at, expires_at } = invitation;
    let (who, name) = match email {
        Some(email) => (
            t!("admin.invitations.for_address", address = email),
            t!("admin.invitations.revoke_for_address", address = email),
        ),
        None => (
            t!("admin.invitations.for_people", count = uses_left),
            t!("admin.invitations.revoke_for_people", count = uses_left),
        ),
    };
    view! {
        <li class="setting">
            <div class="min-w-0">
                <p class="flex flex-wrap items-center gap-x-2">
                    <span class="min-w-0 break-words font-medium">{who}</span>
                    {(role == Role::Administrator)
                        .then(|| view! { <span class="chip">{t!("admin.role.administrator")}</span> })}
                </p>
                <p class="setting-about">
                    {rich!(
                        "admin.invitations.made_holds",
                        made = |_| view! { <TimeAgo at=created_at clock /> },
                        until = |_| view! { <TimeUntil at=expires_at clock /> }
                    )}
                </p>
            </div>
            <ActionForm action=revoke>
                <input type="hidden" name="id" value=id.to_string() />
                <button class="btn btn-line btn-small" type="submit" aria-label=name>
                    {t!("admin.invitations.revoke")}
                </button>
            </ActionForm>
        </li>
    }
    .into_any()
}
