//! Who is let in: invitations, and addresses of certain domains.

use colloquy::{
    domain::{AppError, CurrentUser, Invitation, InvitationId, JobKind, NewInvitation, Role, SignUpPolicy},
    server::{audit::RequestMeta, fault::Fault, people::InvitationRequest},
};

use crate::support::{
    app::{PASSWORD, TestApp, each_db},
    client::{Answer, Client},
    smtp::Smtp,
};

async fn who(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::server_fns::account::Entrance>().user
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

async fn join(client: &mut Client, email: &str, invitation: &str) -> Answer {
    let form = [("email", email), ("name", "Guest"), ("password", PASSWORD), ("invitation", invitation)];
    client.post_form("/api/sign_up", &form).await
}

async fn list(ada: &mut Client) -> Vec<Invitation> {
    ada.post_json("/api/list_invitations", &serde_json::json!({})).await.json()
}

each_db! {
    async fn an_invitation_opens_a_closed_door_once(app: TestApp) {
        let mut ada = app.administrator().await;
        let mut stranger = app.stranger();
        assert_eq!(join(&mut stranger, "bob@example.org", "").await.error(), AppError::Forbidden);
        assert_eq!(join(&mut stranger, "bob@example.org", "nonsense").await.error().field(), Some("invitation"));
        let made = invite(&mut ada, &[("role", "member")]).await;
        assert!(!made.mailed);
        let listed = list(&mut ada).await;
        assert_eq!((listed.len(), listed[0].id, listed[0].uses_left, &listed[0].email), (1, made.id, 1, &None));
        assert_eq!(listed[0].expires_at, listed[0].created_at.plus_seconds(7 * 86_400));

        let token = token(&made);
        let form = [("email", "bob@example.org"), ("name", "Bob"), ("password", "weak"), ("invitation", &*token)];
        assert_eq!(stranger.post_form("/api/sign_up", &form).await.error().field(), Some("password"));
        assert_eq!(join(&mut stranger, "bob@example.org", &token).await.status, 200);
        assert_eq!(who(&mut stranger).await.expect("Bob").role, Role::Member);
        let mut second = app.stranger();
        assert_eq!(join(&mut second, "eve@example.org", &token).await.error().field(), Some("invitation"));
        assert_eq!(who(&mut second).await, None);
        assert_eq!(list(&mut ada).await, []);
    }
}

each_db! {
    async fn r01_of_many_at_once_an_invitation_admits_as_many_as_it_says(app: TestApp) {
        let mut ada = app.administrator().await;
        let token = token(&invite(&mut ada, &[("role", "member"), ("uses", "3")]).await);
        let tries = (0..8).map(|n| {
            let (mut client, token) = (app.stranger(), token.clone());
            async move { join(&mut client, &format!("guest{n}@example.org"), &token).await.status.as_u16() }
        });
        let mut statuses = futures::future::join_all(tries).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200; 3], vec![422; 5]].concat());
        assert_eq!(app.column("select email from users").await.len(), 4, "who is refused leaves no account");
    }
}

each_db! {
    async fn an_invitation_ends_when_it_is_revoked_or_too_old(app: TestApp) {
        let mut ada = app.administrator().await;
        let (one, two) = (invite(&mut ada, &[("role", "member")]).await, invite(&mut ada, &[("role", "member"), ("days", "2")]).await);
        let id = one.id.to_string();
        assert_eq!(ada.post_form("/api/revoke_invitation", &[("id", &id)]).await.status, 200);
        assert_eq!(ada.post_form("/api/revoke_invitation", &[("id", &id)]).await.status, 404);
        let mut stranger = app.stranger();
        assert_eq!(join(&mut stranger, "bob@example.org", &token(&one)).await.status, 422);
        app.state.clock.advance(2 * 86_400 + 1);
        assert_eq!(join(&mut stranger, "bob@example.org", &token(&two)).await.status, 422);
        assert_eq!(app.column("select email from users").await, ["ada@example.org"]);
    }
}

each_db! {
    async fn an_invitation_to_an_address_is_mailed_and_for_nobody_else(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config();
        let app = TestApp::start_with(app.kept(), |settings| settings.mail = Some(config)).await;
        let mut ada = app.administrator().await;
        let made = invite(&mut ada, &[("email", "Carol@example.org"), ("role", "administrator")]).await;
        assert!(made.mailed);
        let mail = smtp.newest_to(&app.state, "Carol@example.org", 1).await;
        assert_eq!(mail.link(), made.link);
        assert!(mail.part("text/plain").starts_with("Ada invites you"), "{}", mail.part("text/plain"));
        let mut carol = app.stranger();
        assert_eq!(join(&mut carol, "eve@example.org", &token(&made)).await.error().field(), Some("email"));
        assert_eq!(join(&mut carol, "carol@example.org", &token(&made)).await.status, 200);
        let user = who(&mut carol).await.expect("Carol");
        assert_eq!(user.role, Role::Administrator);
        let verified = app.column("select email from users where email_verified_at is not null").await;
        assert_eq!(verified, ["carol@example.org"]);
    }
}

each_db! {
    async fn only_administrators_invite_and_within_bounds(app: TestApp) {
        let mut ada = app.administrator().await;
        let token = token(&invite(&mut ada, &[("role", "member")]).await);
        let mut bob = app.stranger();
        assert_eq!(join(&mut bob, "bob@example.org", &token).await.status, 200);
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
    async fn with_domains_only_verified_addresses_of_them_come_in(app: TestApp) {
        let smtp = Smtp::start().await;
        let config = smtp.config();
        let app = TestApp::start_with(app.kept(), |settings| {
            settings.sign_up_domains = vec!["example.org".to_owned()];
            settings.mail = Some(config);
        })
        .await;
        let mut ada = app.person("ada@elsewhere.org", "Ada").await;
        assert!(who(&mut ada).await.is_some(), "the first account needs no domain");
        let mut bob = app.stranger();
        let policy = bob.post_form("/api/load_entrance", &[]).await.json::<colloquy::server_fns::account::Entrance>().policy;
        assert_eq!(policy, SignUpPolicy::Domains);
        for other in ["bob@elsewhere.org", "bob@sub.example.org", "bob@badexample.org"] {
            assert_eq!(join(&mut bob, other, "").await.error().field(), Some("email"), "{other}");
        }
        assert_eq!(join(&mut bob, "bob@Example.ORG", "").await.status, 200);
        assert_eq!(who(&mut bob).await, None);

        let form = [("email", "bob@example.org"), ("password", PASSWORD)];
        assert!(matches!(bob.post_form("/api/sign_in", &form).await.error(), AppError::Conflict { .. }));
        let wrong = [("email", "bob@example.org"), ("password", "wrong-wrong-wrong")];
        assert_eq!(bob.post_form("/api/sign_in", &wrong).await.status, 422, "only who knows the password is told");
        let mails = smtp.taken_by(&app.state, 2).await;
        let answer = bob.post_form("/api/verify_address", &[("token", &mails[0].token())]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(who(&mut bob).await, None, "a link signs nobody in");
        assert_eq!(bob.post_form("/api/sign_in", &form).await.status, 200);
        assert!(who(&mut bob).await.is_some());

        let token = token(&invite(&mut ada, &[("role", "member")]).await);
        assert_eq!(join(&mut app.stranger(), "eve@elsewhere.org", &token).await.status, 200, "an invitation goes before");
    }
}

each_db! {
    async fn s11_invitations_end_with_the_rights_of_whoever_made_them(app: TestApp) {
        let app = app.open_to_all().await;
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
        // As one that was made before it was known by whom, or by the operator.
        let nobodys = app.invitation_for(None).await;
        for (number, loses) in ["make_member", "disable", "delete_account"].into_iter().enumerate() {
            change(&mut ada, "make_administrator").await;
            let mut there = app.signed_in("eve@example.org").await;
            let eves = invite(&mut there, &[("role", "administrator"), ("days", "90")]).await;
            let used_up = invite(&mut there, &[("role", "member")]).await;
            let email = format!("guest{number}@example.org");
            assert_eq!(join(&mut app.stranger(), &email, &token(&used_up)).await.status, 200, "while she may");
            assert_eq!(list(&mut ada).await.len(), 3);

            change(&mut ada, loses).await;
            assert_eq!(list(&mut ada).await.len(), 2, "{loses}: those of others stay");
            let refused = join(&mut app.stranger(), "mallory@example.org", &token(&eves)).await;
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
        assert_eq!(revoked, ["1 of whoever is no administrator any more"; 3]);
        assert_eq!(join(&mut app.stranger(), "bob@example.org", &token(&adas)).await.status, 200);
        assert_eq!(join(&mut app.stranger(), "cy@example.org", &nobodys).await.status, 200);
    }
}

each_db! {
    async fn s11_invitations_end_with_the_account_of_whoever_made_them(app: TestApp) {
        let app = app.open_to_all().await;
        let mut ada = app.administrator().await;
        app.person("eve@example.org", "Eve").await;
        let eve = crate::credentials::id_of(&app, "eve@example.org").await.to_string();
        ada.post_form("/api/change_person", &[("user", &*eve), ("change", "make_administrator")]).await;
        let mut there = app.signed_in("eve@example.org").await;
        let eves = invite(&mut there, &[("role", "administrator"), ("days", "90")]).await;
        assert_eq!(there.post_form("/api/delete_account", &[("email", "eve@example.org")]).await.status, 200);
        app.state.clock.advance(86_401);
        app.work_off(JobKind::DeleteAccount).await;
        assert_eq!(app.column("select purpose from links").await, Vec::<String>::new());
        assert_eq!(join(&mut app.stranger(), "mallory@example.org", &token(&eves)).await.error().field(), Some("invitation"));
    }
}

each_db! {
    async fn s11_whoever_is_no_administrator_by_now_makes_no_invitation(app: TestApp) {
        let app = app.open_to_all().await;
        app.administrator().await;
        app.person("eve@example.org", "Eve").await;
        let late = app.administrator_known_as(crate::credentials::id_of(&app, "eve@example.org").await, "eve");
        let request = InvitationRequest { email: String::new(), role: Role::Administrator, uses: 1, days: 90 };
        let made = app.state.people.create_invitation(&late, &request, &RequestMeta::default()).await;
        assert!(matches!(made, Err(Fault::App(AppError::Forbidden))), "{made:?}");
        let id = InvitationId::from_uuid(app.state.clock.new_id());
        let revoked = app.state.people.revoke_invitation(&late, id, &RequestMeta::default()).await;
        assert!(matches!(revoked, Err(Fault::App(AppError::Forbidden))), "{revoked:?}");
        assert_eq!(app.column("select purpose from links").await, Vec::<String>::new());
    }
}
