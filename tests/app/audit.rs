//! The audit log: which actions it records, who may read it, and which events are reported by mail.

use std::collections::BTreeSet;

use axum::http::Method;
use colloquy::domain::{AuditAction, AuditPage, AuditQuery, Outcome};
use serde_json::{Value, json};

use crate::{
    factors::{TotpApp, add_totp_app, factors},
    support::{
        app::{PASSWORD, TestApp, each_db},
        client::{Answer, Client},
        smtp::Smtp,
    },
};

mod refusals;

const WRONG: &str = "not-the-password-11";
const NEW: &str = "copper-lantern-orbit-77";

async fn audit(client: &mut Client, query: AuditQuery) -> AuditPage {
    let answer = client.post_json("/api/load_audit", &json!({ "query": query })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn post_ok(client: &mut Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = client.post_form(path, fields).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer
}

async fn actions(app: &TestApp) -> BTreeSet<AuditAction> {
    let names = app.column("select distinct action from audit").await;
    names.iter().map(|name| AuditAction::from_name(name).expect("a known action")).collect()
}

async fn id_of(app: &TestApp, email: &str) -> String {
    let mut tx = app.state.store.read().await.expect("a unit");
    tx.find_user_by_email(email).await.expect("a row").expect("an account").id.to_string()
}

/// An installation with open sign-up and mail; Ada is the administrator, Bob a member.
async fn ada_and_bob_with_mail(app: &TestApp) -> (TestApp, Smtp, Client, Client) {
    let smtp = Smtp::start().await;
    let config = smtp.config();
    let app = TestApp::start_with(app.backend(), |settings| {
        settings.sign_up_open = true;
        settings.mail = Some(config);
    })
    .await;
    let ada = app.administrator().await;
    let bob = app.person("bob@example.org", "Bob").await;
    (app, smtp, ada, bob)
}

/// Actions that other tests cover: identities in `oidc`, lost factors in `people::factor_removal`, the picture in
/// `profile`, deletion in `deletion`, data exports in `export`, retention in `retention`, set-up errors in `oidc` and
/// `mail`, jobs in `jobs_page`, and the rest in `refusals`.
fn is_covered_elsewhere(action: AuditAction) -> bool {
    use AuditAction::*;
    matches!(
        action,
        LinkIdentity
            | UnlinkIdentity
            | MakeRoom
            | AskFactorRemoval
            | WithdrawFactorRemoval
            | RefuseFactorRemoval
            | RemoveLostFactors
            | ChangePicture
            | AskDeletion
            | WithdrawDeletion
            | DeleteAccount
            | RetryJob
            | GiveUpJob
            | ExportData
            | DownloadData
            | ChangeRetention
            | ExpireChats
            | DeleteChats
            | DeleteMessages
            | RestoreChats
            | Throttle
            | Overstep
            | RenameFactor
            | SetupFault
    )
}

each_db! {
    async fn l01_every_action_is_recorded_without_secrets(app: TestApp) {
        let (app, smtp, mut ada, mut bob) = ada_and_bob_with_mail(&app).await;
        let id = id_of(&app, "bob@example.org").await;
        let user = id.as_str();
        app.anonymous().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", WRONG)]).await;
        let mut other = app.signed_in("bob@example.org").await;
        post_ok(&mut other, "/api/sign_out", &[]).await;
        app.signed_in("bob@example.org").await;
        let settings: Value = bob.post_json("/api/load_settings", &json!({"part": "security"})).await.json();
        let devices = settings["devices"].as_array().expect("devices");
        let device = devices.iter().find(|device| device["current"] == false).expect("another")["id"].as_str().expect("an id");
        post_ok(&mut bob, "/api/end_device", &[("sign_in", device)]).await;
        post_ok(&mut bob, "/api/end_other_devices", &[]).await;
        post_ok(&mut bob, "/api/confirm_identity", &[("password", PASSWORD)]).await;
        post_ok(&mut bob, "/api/change_name", &[("name", "Robert")]).await;
        post_ok(&mut bob, "/api/change_locale", &[("language", "en-US"), ("time_zone", "Europe/Berlin")]).await;
        post_ok(&mut bob, "/api/change_password", &[("current", PASSWORD), ("password", NEW)]).await;

        let (totp_app, codes) = add_totp_app(&app, &mut bob).await;
        post_ok(&mut bob, "/api/new_recovery_codes", &[]).await;
        let mut pending = app.anonymous();
        post_ok(&mut pending, "/api/sign_in", &[("email", "bob@example.org"), ("password", NEW)]).await;
        assert_eq!(pending.post_form("/api/finish_sign_in", &[("code", "000000")]).await.status, 422);
        let code = totp_app.next_code(&app);
        post_ok(&mut pending, "/api/finish_sign_in", &[("code", &code)]).await;
        let factor = factors(&mut bob).await.factors[0].id.to_string();
        post_ok(&mut bob, "/api/remove_factor", &[("factor", &factor)]).await;

        post_ok(&mut bob, "/api/request_verification", &[]).await;
        let verify = smtp.newest_mail_to(&app.state, "bob@example.org", 5).await.token();
        post_ok(&mut bob, "/api/verify_address", &[("token", &verify)]).await;
        post_ok(&mut bob, "/api/request_address_change", &[("email", "rob@example.net")]).await;
        let confirm = smtp.newest_mail_to(&app.state, "rob@example.net", 1).await.token();
        post_ok(&mut bob, "/api/confirm_address_change", &[("token", &confirm)]).await;
        post_ok(&mut app.anonymous(), "/api/request_mail", &[("purpose", "reset"), ("email", "rob@example.net")]).await;
        let reset = smtp.newest_mail_to(&app.state, "rob@example.net", 2).await.token();
        post_ok(&mut app.anonymous(), "/api/reset_password", &[("token", &reset), ("password", PASSWORD)]).await;

        let invitation = post_ok(&mut ada, "/api/create_invitation", &[("role", "member")]).await.json::<Value>();
        let invited = invitation["link"].as_str().expect("a link").rsplit('=').next().expect("a token").to_owned();
        post_ok(&mut ada, "/api/revoke_invitation", &[("id", invitation["id"].as_str().expect("an id"))]).await;
        for change in ["make_administrator", "make_member", "disable", "enable", "end_sign_ins"] {
            post_ok(&mut ada, "/api/change_person", &[("user", user), ("change", change)]).await;
        }
        post_ok(&mut ada, "/api/start_reset", &[("user", user)]).await;
        assert_eq!(ada.submit("/audit/export", &[]).await.status, 200);

        let written = actions(&app).await;
        let missing: Vec<&AuditAction> =
            AuditAction::ALL.iter().filter(|action| !written.contains(action) && !is_covered_elsewhere(**action)).collect();
        assert_eq!(missing, Vec::<&AuditAction>::new(), "not recorded");

        // l02: neither the audit log nor a mail contains a secret.
        let all = app.column("select action || ' ' || detail || ' ' || address || ' ' || user_agent from audit").await.join("\n");
        let secrets = [PASSWORD, NEW, WRONG, &codes[0], &code, &verify, &confirm, &reset, &invited];
        for secret in secrets {
            assert!(!all.contains(secret), "{secret} was recorded");
        }
        let notices: String = smtp.received().iter().map(|mail| mail.part("text/plain")).collect();
        assert!(notices.contains("Authenticator app") && !notices.contains(&codes[0]), "{notices}");
        drop::<TotpApp>(totp_app);
    }
}

each_db! {
    async fn only_administrators_can_read_and_filter_the_audit_log(app: TestApp) {
        let (app, _smtp, mut ada, mut bob) = ada_and_bob_with_mail(&app).await;
        app.anonymous().post_form("/api/sign_in", &[("email", "bob@example.org"), ("password", WRONG)]).await;
        assert_eq!(bob.post_json("/api/load_audit", &json!({})).await.status, 403);
        assert_eq!(bob.get("/audit").await.status, 404);
        assert_eq!(bob.submit("/audit/export", &[]).await.status, 403);

        let all = audit(&mut ada, AuditQuery::default()).await;
        // Two sign-ups and the sign-ins with them, one wrong password, and Bob's three forbidden requests.
        assert_eq!((all.entries.len(), all.days, all.recently_authenticated), (8, 365, true));
        let refused = AuditQuery { outcome: "refused".into(), action: "sign_in".into(), ..AuditQuery::default() };
        let refused = audit(&mut ada, refused).await;
        let [only] = &refused.entries[..] else { panic!("{refused:?}") };
        assert_eq!((only.activity.outcome, only.subject.as_str()), (Outcome::Refused, "Bob <bob@example.org>"));
        assert_eq!(only.actor, "", "of what was refused it is not known who tried");
        let bobs = audit(&mut ada, AuditQuery { person: "bob@example.org".into(), ..AuditQuery::default() }).await;
        assert_eq!(bobs.entries.len(), 6);
        let page = ada.get("/audit?action=sign_in&outcome=refused&person=bob%40example.org").await;
        assert!(page.status == 200 && page.text().contains("Failed sign-in"), "{}", page.text());

        app.state.clock.advance(86_400);
        let mut ada = app.signed_in("ada@example.org").await;
        let day = |seconds: i64| {
            let at = app.state.clock.now().plus_seconds(seconds).micros() / 1_000_000;
            time::OffsetDateTime::from_unix_timestamp(at).expect("a moment").date().to_string()
        };
        let today = audit(&mut ada, AuditQuery { from: day(0), ..AuditQuery::default() }).await;
        assert_eq!(today.entries.len(), 1);
        let before = audit(&mut ada, AuditQuery { to: day(-86_400), ..AuditQuery::default() }).await;
        assert_eq!(before.entries.len(), 8);
    }
}

each_db! {
    async fn row_17_and_18_invalid_audit_queries_are_refused_without_a_server_error(app: TestApp) {
        let mut ada = app.administrator().await;
        for (name, value) in [
            ("action", "password_hash"), ("action", "id;--"), ("outcome", "all"), ("person", "nobody@example.org"),
            ("person", "'; drop table users; --"), ("from", "yesterday"), ("to", "2026-02-30"),
        ] {
            let answer = ada.post_json("/api/load_audit", &json!({ "query": { name: value } })).await;
            assert_eq!((answer.status.as_u16(), answer.error().field()), (422, Some(name)), "{value}");
            let page = ada.get(&format!("/audit?{name}={}", value.replace(' ', "+"))).await;
            assert!(page.text().contains("role=\"alert\""), "{name}={value}");
            assert_eq!(ada.submit("/audit/export", &[(name, value)]).await.status, 422, "{name}={value}");
        }
        for cursor in ["x", "1.x", "9223372036854775807.", "1;--.0190e2a4-7b1c-7def-8123-456789abcdef"] {
            let answer = ada.post_json("/api/load_audit", &json!({"part": "security", "cursor": cursor})).await;
            assert_eq!(answer.status, 422, "{cursor}");
        }
    }
}

each_db! {
    async fn s08_an_audit_export_is_complete_needs_reauthentication_and_is_recorded(app: TestApp) {
        let (app, _smtp, mut ada, _bob) = ada_and_bob_with_mail(&app).await;
        for _ in 0..60 {
            post_ok(&mut ada, "/api/change_name", &[("name", "Ada")]).await;
        }
        let first = audit(&mut ada, AuditQuery::default()).await;
        assert_eq!(first.entries.len(), 50);
        let rest = ada.post_json("/api/load_audit", &json!({ "cursor": first.next })).await.json::<AuditPage>();
        assert_eq!((rest.entries.len(), rest.next), (14, None));

        let file = ada.submit("/audit/export", &[]).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, "application/jsonl; charset=utf-8"));
        assert!(file.header("content-disposition").starts_with("attachment; filename=\"audit-2"), "{}", file.header("content-disposition"));
        let lines: Vec<Value> = file.text().lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
        assert_eq!(lines.len(), 65, "all of it, and the export itself");
        assert_eq!((&lines[0]["action"], &lines[0]["actor"]["email"]), (&json!("export_audit"), &json!("ada@example.org")));
        let some = ada.submit("/audit/export", &[("action", "sign_up")]).await;
        assert_eq!(some.text().lines().count(), 2);

        app.state.clock.advance(11 * 60);
        assert_eq!(ada.submit("/audit/export", &[]).await.status, 403);
        assert_eq!(app.anonymous().submit("/audit/export", &[]).await.status, 401);
        let request = ada.request(Method::GET, "/audit/export").header("accept", "text/html");
        assert_eq!(ada.send(request.body(axum::body::Body::empty()).expect("a request")).await.status, 405);
    }
}

each_db! {
    async fn r05_security_changes_are_notified_by_mail(app: TestApp) {
        let (app, smtp, _ada, mut bob) = ada_and_bob_with_mail(&app).await;
        add_totp_app(&app, &mut bob).await;
        post_ok(&mut bob, "/api/new_recovery_codes", &[]).await;
        let factor = factors(&mut bob).await.factors[0].id.to_string();
        post_ok(&mut bob, "/api/remove_factor", &[("factor", &factor)]).await;
        post_ok(&mut bob, "/api/change_password", &[("current", PASSWORD), ("password", NEW)]).await;
        let texts: Vec<String> =
            smtp.mails_to(&app.state, "bob@example.org", 4).await.iter().map(|mail| mail.part("text/plain")).collect();
        for (text, expected) in texts.iter().zip(["was added", "New recovery codes", "was removed", "password was changed"]) {
            assert!(text.contains(expected) && text.contains("with an unknown browser, from 127.0.0.*"), "{expected}: {text}");
            assert!(text.contains("in Settings, under “Activity”"), "{text}");
        }
    }
}

each_db! {
    async fn r05_a_sign_in_from_a_new_browser_or_network_is_notified_by_mail(app: TestApp) {
        const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; rv:142.0) Gecko/20100101 Firefox/142.0";
        let (app, smtp, _ada, _bob) = ada_and_bob_with_mail(&app).await;
        let sign_in = async |machine: &str, agent: &str| {
            let mut client = app.anonymous().at(machine);
            let form = crate::support::client::encode(&[("email", "bob@example.org"), ("password", PASSWORD)]);
            let request = client.request(Method::POST, "/api/sign_in").header("user-agent", agent);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(client.send(request.body(form.into()).expect("a request")).await.status, 200);
        };
        // The first is like the sign-in at sign-up. The next three are new; the rest are known by then, except
        // 198.51.100.1.
        for (machine, agent) in [
            ("127.0.0.9", ""), ("203.0.113.5", ""), ("203.0.7.7", ""), ("127.0.0.1", FIREFOX), ("127.0.0.1", FIREFOX),
            ("198.51.100.1", FIREFOX), ("203.0.113.5", ""),
        ] {
            sign_in(machine, agent).await;
        }
        let mails = smtp.mails_to(&app.state, "bob@example.org", 3).await;
        let texts: Vec<String> = mails.iter().map(|mail| mail.part("text/plain")).collect();
        let expected = ["with an unknown browser, from 203.0.113.*", "with Firefox on Windows, from 127.0.0.*", "with Firefox on Windows, from 198.51.100.*"];
        assert_eq!(texts.len(), expected.len(), "{texts:?}");
        for (text, expected) in texts.iter().zip(expected) {
            assert!(text.contains("New sign-in") && text.contains(expected), "{expected}: {text}");
        }
    }
}
