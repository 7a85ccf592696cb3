//! Sign-up by invitation and by address domain.

use colloquy::{
    domain::{AppError, CurrentUser, Invitation, InvitationId, JobKind, NewInvitation, Role, SignUpPolicy},
    server::{audit::RequestMeta, fault::Fault, people::InvitationRequest},
};

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::{Answer, Client},
    smtp::Smtp,
};

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().user
}

async fn invite(ada: &mut Client, fields: &[(&str, &str)]) -> NewInvitation {
    let made = ada.post_form("/api/create_invitation", fields).await;
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()
}

fn token(invitation: &NewInvitation) -> String {
    let token = invitation.link.strip_prefix("http://127.0.0.1:3000/sign-up?invitation=");
    token.expect("a link of this installation").to_owned()
}

async fn sign_up(client: &mut Client, email: &str, invitation: &str) -> Answer {
    let form = [("email", email), ("name", "Guest"), ("password", PASSWORD), ("invitation", invitation)];
    client.post_form("/api/sign_up", &form).await
}

async fn list(ada: &mut Client) -> Vec<Invitation> {
    ada.post_json("/api/list_invitations", &serde_json::json!({})).await.json()
}

each_db! {
    async fn an_invitation_allows_one_sign_up_while_sign_up_is_closed(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut anonymous = app.anonymous();
        assert_eq!(sign_up(&mut anonymous, "bob@example.org", "").await.error(), AppError::Forbidden);
        assert_eq!(sign_up(&mut anonymous, "bob@example.org", "nonsense").await.error().field(), Some("invitation"));
        let made = invite(&mut ada, &[("role", "member")]).await;
        assert!(!made.mailed);
        let listed = list(&mut ada).await;
        assert_eq!((listed.len(), listed[0].id, listed[0].uses_left, &listed[0].email), (1, made.id, 1, &None));
        assert_eq!(listed[0].expires_at, listed[0].created_at.plus_seconds(7 * 86_400));

        let token = token(&made);
        let form = [("email", "bob@example.org"), ("name", "Bob"), ("password", "weak"), ("invitation", &*token)];
        assert_eq!(anonymous.post_form("/api/sign_up", &form).await.error().field(), Some("password"));
        assert_eq!(sign_up(&mut anonymous, "bob@example.org", &token).await.status, 200);
        assert_eq!(current_user(&mut anonymous).await.expect("Bob").role, Role::Member);
        let mut second = app.anonymous();
        assert_eq!(sign_up(&mut second, "eve@example.org", &token).await.error().field(), Some("invitation"));
        assert_eq!(current_user(&mut second).await, None);
        assert_eq!(list(&mut ada).await, []);
    }
}

each_db! {
    async fn r01_an_invitation_admits_its_number_of_concurrent_sign_ups(app: TestApp) {
        let mut ada = app.administrator().await;
        let token = token(&invite(&mut ada, &[("role", "member"), ("uses", "3")]).await);
        let tries = (0..8).map(|n| {
            let (mut client, token) = (app.anonymous(), token.clone());
            async move { sign_up(&mut client, &format!("guest{n}@example.org"), &token).await.status.as_u16() }
        });
        let mut statuses = futures::future::join_all(tries).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200; 3], vec![422; 5]].concat());
        assert_eq!(app.column("select email from users").await.len(), 4, "a refused sign-up leaves no account");
    }
}

each_db! {
    async fn an_invitation_ends_when_revoked_or_expired(app: TestApp) {
        let mut ada = app.administrator().await;
        let (one, two) = (invite(&mut ada, &[("role", "member")]).await, invite(&mut ada, &[("role", "member"), ("days", "2")]).await);
        let id = one.id.to_string();
        assert_eq!(ada.post_form("/api/revoke_invitation", &[("id", &id)]).await.status, 200);
        assert_eq!(ada.post_form("/api/revoke_invitation", &[("id", &id)]).await.status, 404);
        let mut anonymous = app.anonymous();
        assert_eq!(sign_up(&mut anonymous, "bob@example.org", &token(&one)).await.status, 422);
        app.state.clock.advance(2 * 86_400 + 1);
        assert_eq!(sign_up(&mut anonymous, "bob@example.org", &token(&two)).await.status, 422);
        assert_eq!(app.column("select email from users").await, ["ada@example.org"]);
    }
}

each_db! {
    async fn an_invitation_to_an_address_is_mailed_and_works_only_for_it(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config();
        let app = TestApp::start_with(app.backend(), |settings| settings.mail = Some(config)).await;
        let mut ada = app.administrator().await;
        let made = invite(&mut ada, &[("email", "Carol@example.org"), ("role", "administrator")]).await;
        assert!(made.mailed);
        let mail = smtp.newest_mail_to(&app.state, "Carol@example.org", 1).await;
        assert_eq!(mail.link(), made.link);
        assert!(mail.part("text/plain").starts_with("Ada invited you"), "{}", mail.part("text/plain"));
        let mut carol = app.anonymous();
        assert_eq!(sign_up(&mut carol, "eve@example.org", &token(&made)).await.error().field(), Some("email"));
        assert_eq!(sign_up(&mut carol, "carol@example.org", &token(&made)).await.status, 200);
        let user = current_user(&mut carol).await.expect("Carol");
        assert_eq!(user.role, Role::Administrator);
        let verified = app.column("select email from users where email_verified_at is not null").await;
        assert_eq!(verified, ["carol@example.org"]);
    }
}

each_db! {
    async fn only_administrators_invite_and_within_limits(app: TestApp) {
        let mut ada = app.administrator().await;
        let token = token(&invite(&mut ada, &[("role", "member")]).await);
        let mut bob = app.anonymous();
        assert_eq!(sign_up(&mut bob, "bob@example.org", &token).await.status, 200);
        let kept = invite(&mut ada, &[("role", "member")]).await;
        let id = kept.id.to_string();
        assert_eq!(bob.post_form("/api/create_invitation", &[("role", "administrator")]).await.error(), AppError::Forbidden);
        assert_eq!(bob.post_form("/api/revoke_invitation", &[("id", &id)]).await.error(), AppError::Forbidden);
        assert_eq!(bob.post_json("/api/list_invitations", &serde_json::json!({})).await.error(), AppError::Forbidden);
        assert_eq!(list(&mut ada).await.len(), 1);
        for (fields, wrong) in [
            (vec![("role", "member"), ("uses", "0")], "uses"),
            (vec![("role", "member"), ("uses", "1001")], "uses"),
            (vec![("role", "administrator"), ("uses", "2")], "uses"),
            (vec![("role", "member"), ("email", "x@example.org"), ("uses", "2")], "uses"),
            (vec![("role", "member"), ("days", "0")], "days"),
            (vec![("role", "member"), ("days", "91")], "days"),
            (vec![("role", "member"), ("email", "a@b@c")], "email"),
            (vec![("role", "owner")], "request"),
            (vec![("role", "member"), ("uses", "-1")], "request"),
        ] {
            let refused = ada.post_form("/api/create_invitation", &fields).await;
            assert_eq!(refused.error().field(), Some(wrong), "{fields:?}");
        }
    }
}

each_db! {
    async fn with_allowed_domains_only_their_verified_addresses_sign_in(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config();
        let app = TestApp::start_with(app.backend(), |settings| {
            settings.sign_up_domains = vec!["example.org".to_owned()];
            settings.mail = Some(config);
        })
        .await;
        let mut ada = app.person("ada@elsewhere.org", "Ada").await;
        assert!(current_user(&mut ada).await.is_some(), "the first account needs no domain");
        let mut bob = app.anonymous();
        let policy = bob.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().policy;
        assert_eq!(policy, SignUpPolicy::Domains);
        for other in ["bob@elsewhere.org", "bob@sub.example.org", "bob@badexample.org"] {
            assert_eq!(sign_up(&mut bob, other, "").await.error().field(), Some("email"), "{other}");
        }
        assert_eq!(sign_up(&mut bob, "bob@Example.ORG", "").await.status, 200);
        assert_eq!(current_user(&mut bob).await, None);

        let form = [("email", "bob@example.org"), ("password", PASSWORD)];
        assert!(matches!(bob.post_form("/api/sign_in", &form).await.error(), AppError::Conflict { .. }));
        let wrong = [("email", "bob@example.org"), ("password", "wrong-wrong-wrong")];
        assert_eq!(bob.post_form("/api/sign_in", &wrong).await.status, 422, "only with the right password");
        let mails = smtp.wait_for_mails(&app.state, 2).await;
        let answer = bob.post_form("/api/verify_address", &[("token", &mails[0].token())]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(current_user(&mut bob).await.is_some(), "the browser of the sign-up");

        let token = token(&invite(&mut ada, &[("role", "member")]).await);
        assert_eq!(sign_up(&mut app.anonymous(), "eve@elsewhere.org", &token).await.status, 200, "an invitation takes precedence");
    }
}

each_db! {
    async fn s11_invitations_are_revoked_with_their_creators_rights(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        app.person("eve@example.org", "Eve").await;
        let eve = crate::credentials::id_of(&app, "eve@example.org").await;
        let id = eve.to_string();
        let change = async |ada: &mut Client, change: &str| {
            let form = [("user", id.as_str()), ("change", change)];
            let done = ada.post_form("/api/change_person", &form).await;
            assert_eq!(done.status, 200, "{change}: {}", done.text());
        };
        let adas = invite(&mut ada, &[("role", "member"), ("uses", "20")]).await;
        // An invitation without a known creator: of an earlier version, or of the operator.
        let nobodys = app.invitation_for(None).await;
        for (number, loses) in ["make_member", "disable", "delete_account"].into_iter().enumerate() {
            change(&mut ada, "make_administrator").await;
            let mut there = app.signed_in("eve@example.org").await;
            let eves = invite(&mut there, &[("role", "administrator"), ("days", "90")]).await;
            let used_up = invite(&mut there, &[("role", "member")]).await;
            let email = format!("guest{number}@example.org");
            assert_eq!(sign_up(&mut app.anonymous(), &email, &token(&used_up)).await.status, 200, "while she may");
            assert_eq!(list(&mut ada).await.len(), 3);

            change(&mut ada, loses).await;
            assert_eq!(list(&mut ada).await.len(), 2, "{loses}: those of others stay");
            let refused = sign_up(&mut app.anonymous(), "mallory@example.org", &token(&eves)).await;
            assert_eq!(refused.error().field(), Some("invitation"), "{loses}");
            match loses {
                "disable" => {
                    change(&mut ada, "enable").await;
                    change(&mut ada, "make_member").await;
                }
                "delete_account" => change(&mut ada, "keep_account").await,
                _ => {}
            }
            assert_eq!(list(&mut ada).await.len(), 2, "{loses}: they do not come back");
        }
        let revoked = app.column("select detail from audit where action = 'revoke_invitation' order by at, id").await;
        assert_eq!(revoked, ["1 by a former administrator"; 3]);
        assert_eq!(sign_up(&mut app.anonymous(), "bob@example.org", &token(&adas)).await.status, 200);
        assert_eq!(sign_up(&mut app.anonymous(), "cy@example.org", &nobodys).await.status, 200);
    }
}

each_db! {
    async fn s11_invitations_are_deleted_with_their_creators_account(app: TestApp) {
        let app = app.with_open_sign_up().await;
        let mut ada = app.administrator().await;
        app.person("eve@example.org", "Eve").await;
        let eve = crate::credentials::id_of(&app, "eve@example.org").await.to_string();
        ada.post_form("/api/change_person", &[("user", &*eve), ("change", "make_administrator")]).await;
        let mut there = app.signed_in("eve@example.org").await;
        let eves = invite(&mut there, &[("role", "administrator"), ("days", "90")]).await;
        assert_eq!(there.post_form("/api/delete_account", &[("email", "eve@example.org")]).await.status, 200);
        app.state.clock.advance(86_401);
        app.run_due_jobs(JobKind::DeleteAccount).await;
        assert_eq!(app.column("select purpose from links").await, Vec::<String>::new());
        assert_eq!(sign_up(&mut app.anonymous(), "mallory@example.org", &token(&eves)).await.error().field(), Some("invitation"));
    }
}

each_db! {
    async fn s11_a_demoted_administrator_creates_no_invitation(app: TestApp) {
        let app = app.with_open_sign_up().await;
        app.administrator().await;
        app.person("eve@example.org", "Eve").await;
        let late = app.administrator_caller(crate::credentials::id_of(&app, "eve@example.org").await, "eve");
        let request = InvitationRequest { email: String::new(), role: Role::Administrator, uses: 1, days: 90 };
        let made = app.state.people.create_invitation(&late, &request, &RequestMeta::default()).await;
        assert!(matches!(made, Err(Fault::App(AppError::Forbidden))), "{made:?}");
        let id = InvitationId::from_uuid(app.state.clock.new_id());
        let revoked = app.state.people.revoke_invitation(&late, id, &RequestMeta::default()).await;
        assert!(matches!(revoked, Err(Fault::App(AppError::Forbidden))), "{revoked:?}");
        assert_eq!(app.column("select purpose from links").await, Vec::<String>::new());
    }
}
