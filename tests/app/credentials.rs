//! Sign-ins that race with changes which revoke all sign-ins. Each test performs the change between the verification of
//! the credentials and the storing of the sign-in, so the races are deterministic.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use colloquy::{
    domain::{AppError, CurrentUser, JobKind, UserId},
    server::{
        audit::RequestMeta,
        auth::Caller,
        fault::Fault,
        store::{LinkPurpose, NewLink},
    },
};
use sha2::{Digest, Sha256};

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::{Answer, Client},
};

const BOB: &str = "bob@example.org";
const NEW: &str = "copper-lantern-orbit-77";

pub async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().user
}

/// Sends a request after the next sign-in is verified and before it is stored. The result becomes true once it was
/// sent.
pub fn race_next_sign_in(app: &TestApp, mut client: Client, path: &str, fields: &[(&str, &str)]) -> Arc<AtomicBool> {
    let done = Arc::new(AtomicBool::new(false));
    let (path, seen) = (path.to_owned(), done.clone());
    let fields: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    app.state.accounts.run_before_next_sign_in(async move {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = client.post_form(&path, &fields).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        seen.store(true, Ordering::SeqCst);
    });
    done
}

pub async fn id_of(app: &TestApp, email: &str) -> UserId {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email(email).await.expect("a row").expect("an account").id
}

/// Inserts a link for an account and returns its token, as a mail would contain it.
async fn link(app: &TestApp, user: UserId, purpose: LinkPurpose, email: &str) -> String {
    let (id, now) = (app.state.clock.new_id(), app.state.clock.now());
    let token = URL_SAFE_NO_PAD.encode(Sha256::digest(id));
    let mut tx = app.state.store.write().await.expect("a unit");
    tx.insert_link(&NewLink {
        id,
        token_hash: &Sha256::digest(&token).into(),
        purpose,
        user: Some(user),
        email: Some(email),
        role: None,
        uses: 1,
        created_at: now,
        expires_at: now.plus_seconds(60),
        created_by: None,
    })
    .await
    .expect("a link");
    tx.commit().await.expect("a commit");
    token
}

async fn sign_in(client: &mut Client, email: &str, password: &str) -> Answer {
    client.post_form("/api/sign_in", &[("email", email), ("password", password)]).await
}

/// Ada is the administrator, Bob a member.
async fn ada_and_bob(app: &TestApp) -> (TestApp, Client, UserId) {
    let app = app.with_open_sign_up().await;
    let ada = app.administrator().await;
    app.person(BOB, "Bob").await;
    let bob = id_of(&app, BOB).await;
    (app, ada, bob)
}

/// A revoking action: whether the account's owner performs it (otherwise an administrator), the function, and its
/// fields.
type Revocation<'a> = (bool, &'a str, Vec<(&'a str, &'a str)>);

each_db! {
    async fn s06_no_password_sign_in_survives_a_concurrent_revocation(app: TestApp) {
        let (app, ada, bob) = ada_and_bob(&app).await;
        let id = bob.to_string();
        let wrong = sign_in(&mut app.anonymous(), BOB, NEW).await;
        assert_eq!(wrong.status, 422);
        // The actions run one after the other on the same account.
        let reset = link(&app, bob, LinkPurpose::ResetPassword, BOB).await;
        let change = |change: &'static str| vec![("user", id.as_str()), ("change", change)];
        let revocations: [Revocation<'_>; 8] = [
            // First, because the others revoke the link.
            (false, "reset_password", vec![("token", reset.as_str()), ("password", PASSWORD)]),
            (true, "change_password", vec![("current", PASSWORD), ("password", NEW)]),
            (true, "end_other_devices", vec![]),
            (false, "change_person", change("end_sign_ins")),
            (false, "change_person", change("make_administrator")),
            (false, "change_person", change("make_member")),
            (true, "delete_account", vec![("email", BOB)]),
            (false, "change_person", change("disable")),
        ];
        let mut password = PASSWORD;
        for (number, (own, function, fields)) in revocations.into_iter().enumerate() {
            let mut owner = app.anonymous().at("203.0.113.1");
            assert_eq!(sign_in(&mut owner, BOB, password).await.status, 200, "{function}");
            let mut thief = app.anonymous().at(&format!("198.51.100.{number}"));
            let actor = if own { owner.clone() } else { ada.clone() };
            let done = race_next_sign_in(&app, actor, &format!("/api/{function}"), &fields);
            let refused = sign_in(&mut thief, BOB, password).await;
            assert!(done.load(Ordering::SeqCst), "{function} was done in between");
            assert_eq!((refused.status, &refused.body), (wrong.status, &wrong.body), "{function} {fields:?}");
            assert!(current_user(&mut thief).await.is_none(), "{function} {fields:?}");
            assert_eq!(current_user(&mut owner).await.is_some(), own, "the actor stays signed in: {function} {fields:?}");
            password = match function {
                "change_password" => NEW,
                "reset_password" => PASSWORD,
                _ => password,
            };
        }
        let left = app.column("select user_agent from sign_ins s join users u on u.id = s.user_id where u.email = 'bob@example.org' and s.ended_at is null").await;
        assert_eq!(left.len(), 0, "disabled at last");
        let refused = "select 'x' from audit where action = 'sign_in' and outcome = 'refused' and subject_id is not null";
        assert_eq!(app.column(refused).await.len(), 9, "each is recorded like a wrong password");
    }
}

each_db! {
    async fn s06_no_sign_in_survives_disabling_and_enabling_or_an_address_change(app: TestApp) {
        let (app, mut ada, bob) = ada_and_bob(&app).await;
        let (mut thief, id) = (app.anonymous(), bob.to_string());
        let accounts = app.state.accounts.clone();
        let mut other = ada.clone();
        let user = id.clone();
        accounts.run_before_next_sign_in(async move {
            for change in ["disable", "enable"] {
                let done = other.post_form("/api/change_person", &[("user", &*user), ("change", change)]).await;
                assert_eq!(done.status, 200, "{}", done.text());
            }
        });
        assert_eq!(sign_in(&mut thief, BOB, PASSWORD).await.status, 422);
        assert!(current_user(&mut thief).await.is_none());

        let token = link(&app, bob, LinkPurpose::ChangeAddress, "robert@example.org").await;
        let done = race_next_sign_in(&app, app.anonymous(), "/api/confirm_address_change", &[("token", &token)]);
        assert_eq!(sign_in(&mut thief, BOB, PASSWORD).await.status, 422);
        assert!(done.load(Ordering::SeqCst) && current_user(&mut thief).await.is_none());

        assert_eq!(sign_in(&mut thief, "robert@example.org", PASSWORD).await.status, 200, "the new address signs in");
        assert_eq!(ada.post_form("/api/change_person", &[("user", &*id), ("change", "end_sign_ins")]).await.status, 200);
        assert!(current_user(&mut thief).await.is_none());
    }
}

each_db! {
    async fn s06_a_sign_in_with_outdated_credentials_is_invalid_even_if_not_revoked(app: TestApp) {
        let mut ada = app.administrator().await;
        assert!(current_user(&mut ada).await.is_some());
        app.execute("update users set credentials_version = credentials_version + 1").await;
        assert!(current_user(&mut ada).await.is_none());
    }
}

each_db! {
    async fn s06_no_sign_in_to_an_account_deleted_concurrently(app: TestApp) {
        let (app, _, bob) = ada_and_bob(&app).await;
        let mut thief = app.anonymous();
        let (state, clock) = (app.state.clone(), app.state.clock.clone());
        app.state.accounts.run_before_next_sign_in(async move {
            let mut tx = state.store.write().await.expect("a unit");
            assert!(tx.owned_by(bob).begin_deletion(clock.now(), clock.now()).await.expect("a row"));
            tx.commit().await.expect("a commit");
            clock.advance(1);
            state.jobs.drain(JobKind::DeleteAccount).await.expect("a purge");
        });
        assert_eq!(sign_in(&mut thief, BOB, PASSWORD).await.status, 422);
        assert!(current_user(&mut thief).await.is_none());
        let traces = "select address from audit where actor_id is null and action = 'sign_in' and subject_id is not null";
        assert_eq!(app.column(traces).await, Vec::<String>::new(), "nothing more is recorded about the deleted account");
    }
}

each_db! {
    async fn s06_a_new_account_that_is_disabled_immediately_is_not_signed_in(app: TestApp) {
        let (app, ada, _) = ada_and_bob(&app).await;
        let state = app.state.clone();
        let mut ada = ada.clone();
        app.state.accounts.run_before_next_sign_in(async move {
            let mut tx = state.store.read().await.expect("a unit");
            let carol = tx.find_user_by_email("carol@example.org").await.expect("a row").expect("created by now").id.to_string();
            drop(tx);
            for change in ["disable", "enable"] {
                let done = ada.post_form("/api/change_person", &[("user", &*carol), ("change", change)]).await;
                assert_eq!(done.status, 200, "{}", done.text());
            }
        });
        let mut carol = app.anonymous();
        let form = [("email", "carol@example.org"), ("name", "Carol"), ("password", PASSWORD)];
        assert_eq!(carol.post_form("/api/sign_up", &form).await.status, 401);
        assert!(current_user(&mut carol).await.is_none());
        assert_eq!(sign_in(&mut carol, "carol@example.org", PASSWORD).await.status, 200);
    }
}

/// The caller of a client's current session, as a request would read it.
pub async fn caller(app: &TestApp, client: &mut Client) -> Caller {
    let settings: colloquy::domain::Settings =
        client.post_json("/api/load_settings", &serde_json::json!({"part": "security"})).await.json();
    let id = settings.devices.into_iter().find(|device| device.current).expect("this one").id;
    app.state.accounts.find_caller_by_sign_in(id).await.expect("a database").expect("a valid sign-in")
}

each_db! {
    async fn s06_a_concurrently_revoked_caller_cannot_change_credentials(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut thief = app.signed_in("ada@example.org").await;
        let late = caller(&app, &mut thief).await;
        assert_eq!(ada.post_form("/api/end_other_devices", &[]).await.status, 200);
        // As if the thief had seen the owner's code.
        let begun = ada.post_form("/api/begin_totp", &[]).await.json();
        let code = crate::factors::TotpApp::read(&begun).code(&app, 0);
        let (accounts, meta) = (&app.state.accounts, RequestMeta::default());
        let is_refused = |fault: Fault| matches!(fault, Fault::App(AppError::Unauthenticated));
        let changed = accounts.change_password(&late, PASSWORD.to_owned(), NEW.to_owned(), &meta).await;
        assert!(is_refused(changed.expect_err("a password of the thief's")));
        let added = app.state.factors.confirm_totp(&late, &code, &meta).await;
        assert!(is_refused(added.expect_err("a factor of the thief's")));
        assert!(is_refused(app.state.factors.new_recovery_codes(&late, &meta).await.expect_err("codes for the thief")));
        assert_eq!(sign_in(&mut thief, "ada@example.org", PASSWORD).await.status, 200, "the password is unchanged");
        assert_eq!(app.column("select kind from factors where confirmed_at is not null").await, Vec::<String>::new());
    }
}

each_db! {
    async fn pending_changes_of_a_thief_are_revoked_with_the_old_credentials(app: TestApp) {
        let (app, mut ada, bob) = ada_and_bob(&app).await;
        let id = bob.to_string();
        let revocations: [Revocation<'_>; 3] = [
            (true, "end_other_devices", vec![]),
            (false, "change_person", vec![("user", &id), ("change", "end_sign_ins")]),
            (true, "change_password", vec![("current", PASSWORD), ("password", NEW)]),
        ];
        for (own, function, fields) in revocations {
            let mut owner = app.signed_in(BOB).await;
            // A thief who knows the password starts to change the address, reset the password and add an app.
            let mut thief = app.signed_in(BOB).await;
            assert_eq!(thief.post_form("/api/begin_totp", &[]).await.status, 200, "{function}");
            let change = link(&app, bob, LinkPurpose::ChangeAddress, "mallory@example.net").await;
            let reset = link(&app, bob, LinkPurpose::ResetPassword, BOB).await;
            let actor = if own { &mut owner } else { &mut ada };
            let done = actor.post_form(&format!("/api/{function}"), &fields).await;
            assert_eq!(done.status, 200, "{function}: {}", done.text());
            let mut anonymous = app.anonymous();
            let changed = anonymous.post_form("/api/confirm_address_change", &[("token", &change)]).await;
            assert_eq!(changed.status, 422, "{function}: another address");
            let set = anonymous.post_form("/api/reset_password", &[("token", &reset), ("password", "plum-harbor-sextant-42")]).await;
            assert_eq!(set.status, 422, "{function}: another password");
            let begun = app.column("select name from factors where confirmed_at is null").await;
            assert!(begun.is_empty(), "{function}: {begun:?}");
        }
    }
}
