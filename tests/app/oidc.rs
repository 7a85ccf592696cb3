//! Sign-in by an identity provider, and attacks on it.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, header::CONTENT_TYPE},
};
use colloquy::{
    domain::{AppError, CurrentUser, Identity, IdentityProvider, Role},
    server::config::{Config, PublicUrl},
};
use openidconnect::url::Url;
use serde_json::json;

use crate::support::{
    app::{Backend, PASSWORD, TestApp},
    client::{Answer, Client},
    provider::{Provider, Signing, TestIdentity, verified_identity},
    smtp::Smtp,
    wait::finish,
};

/// An installation with an identity provider.
struct OidcApp {
    app: TestApp,
    provider: Provider,
}

/// Runs a test on each database, with an identity provider and open sign-up.
macro_rules! each_oidc_db {
    (async fn $name:ident($oidc:ident: OidcApp) $body:block) => {
        mod $name {
            use super::*;

            async fn test($oidc: OidcApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                test(OidcApp::start(Backend::Sqlite, |config| config.sign_up_open = true).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                test(OidcApp::start(Backend::PostgresAndRedis, |config| config.sign_up_open = true).await).await;
            }
        }
    };
}

mod attacks;
mod dialects;
mod races;
mod set_up;
mod unverified;

impl OidcApp {
    async fn start(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        let provider = Provider::start().await;
        let known = provider.config();
        let app = TestApp::start_with(backend, |config| {
            config.identity_providers.push(known);
            change(config);
        })
        .await;
        provider.use_clock(&app.state.clock);
        Self { app, provider }
    }

    /// Starts a flow and signs in at the provider. Returns the path of the callback.
    async fn callback_path(&self, client: &mut Client, fields: &[(&str, &str)]) -> String {
        let away = client.submit("/auth/test/start", fields).await;
        assert_eq!(away.status, 303, "{}", away.text());
        self.provider.authorize(away.header("location")).await
    }

    /// Runs the whole flow.
    async fn run_flow(&self, client: &mut Client, fields: &[(&str, &str)]) -> Answer {
        let back = self.callback_path(client, fields).await;
        client.get(&back).await
    }

    /// Runs the whole flow with this identity at the provider.
    async fn run_flow_as(&self, client: &mut Client, identity: TestIdentity) -> Answer {
        self.provider.set_identity(identity);
        self.run_flow(client, &[]).await
    }

    /// A client that has signed in by the provider.
    async fn sign_in_as(&self, subject: &str, email: &str) -> Client {
        let mut client = self.app.anonymous();
        let done = self.run_flow_as(&mut client, verified_identity(subject, email)).await;
        assert_eq!(done.status, 303, "{}", done.text());
        client
    }
}

async fn current_user(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/load_entrance", &[]).await.json::<colloquy::domain::AuthPageData>().user
}

async fn identities(client: &mut Client) -> Vec<Identity> {
    client.post_form("/api/list_identities", &[]).await.json()
}

async fn unlink(client: &mut Client, identity: &Identity) -> Answer {
    let fields = [("issuer", identity.issuer.as_str()), ("subject", identity.subject.as_str())];
    client.post_form("/api/unlink_identity", &fields).await
}

/// Checks that the response is an HTML page with this status, and that no one is signed in.
async fn assert_refused(client: &mut Client, answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"), "{what}: a page");
    assert_eq!(current_user(client).await, None, "{what}: no session");
}

each_oidc_db! {
    async fn a_provider_signs_up_new_users_and_signs_them_in_again(oidc: OidcApp) {
        oidc.app.administrator().await;
        let providers: Vec<IdentityProvider> =
            oidc.app.anonymous().post_form("/api/list_identity_providers", &[]).await.json();
        assert_eq!(providers, [IdentityProvider { name: "test".into(), label: "Test & Sons".into() }]);

        let mut vera = oidc.app.anonymous();
        let done = oidc.run_flow(&mut vera, &[("next", "/sessions")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/sessions"), "{}", done.text());
        let made = current_user(&mut vera).await.expect("Vera");
        assert_eq!((made.name.as_str(), made.email.as_str(), made.role), ("Vera", "vera@example.org", Role::Member));

        oidc.app.state.clock.advance(3_000);
        let mut again = oidc.app.anonymous();
        let done = oidc.run_flow(&mut again, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
        assert_eq!(current_user(&mut again).await.expect("Vera").id, made.id);
        let [known] = &identities(&mut again).await[..] else { panic!("one identity") };
        assert_eq!((known.label.as_str(), known.subject.as_str()), ("Test & Sons", "vera-1"));
        assert!(known.last_used_at.micros() - known.created_at.micros() >= 3_000_000_000, "{known:?}");

        // An account with a password links the provider, signs in by it, and unlinks it.
        let mut ada = oidc.app.signed_in("ada@example.org").await;
        oidc.provider.set_identity(verified_identity("ada-1", "ada@elsewhere.example"));
        let done = oidc.run_flow(&mut ada, &[("purpose", "link")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/settings/security"), "{}", done.text());
        let mut elsewhere = oidc.app.anonymous();
        oidc.run_flow(&mut elsewhere, &[]).await;
        let signed_in = current_user(&mut elsewhere).await.expect("Ada");
        assert_eq!((signed_in.email.as_str(), signed_in.role), ("ada@example.org", Role::Administrator));
        let linked = identities(&mut ada).await;
        assert_eq!(linked.len(), 1);
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 200);
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 404);
        let acts = "select action || ' ' || detail from audit where action like '%link_identity' order by at";
        assert_eq!(oidc.app.column(acts).await, ["link_identity Test & Sons", "unlink_identity Test & Sons"]);
        assert_eq!(identities(&mut ada).await, []);
        let mut other = oidc.app.anonymous();
        oidc.run_flow(&mut other, &[]).await;
        assert_ne!(current_user(&mut other).await.expect("a new account").id, signed_in.id);
    }
}

each_oidc_db! {
    async fn o07_a_hanging_provider_does_not_affect_others(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut known = oidc.app.anonymous();
        let back = oidc.callback_path(&mut known, &[]).await;
        // Longer than the test.
        oidc.provider.delay(Duration::from_secs(3_600));
        // The cached discovery document has expired by now, but the pending flow has not.
        oidc.app.state.clock.advance(590);
        let hanging = tokio::spawn(async move {
            let answer = known.get(&back).await;
            (known, answer)
        });
        for _ in 0..3 {
            let mut ada = oidc.app.anonymous();
            let form = [("email", "ada@example.org"), ("password", PASSWORD)];
            assert_eq!(ada.post_form("/api/sign_in", &form).await.status, 200);
        }
        let (mut known, answer) = finish("the timeout of the provider", hanging).await.expect("an answer");
        assert_refused(&mut known, &answer, 503, "the token does not come").await;
        assert!(answer.text().contains("Test &amp; Sons isn't responding right now."), "{}", answer.text());

        oidc.app.state.clock.advance(3_600);
        let waiting = (0..4).map(|_| {
            let mut client = oidc.app.anonymous();
            tokio::spawn(async move { client.submit("/auth/test/start", &[]).await })
        });
        for answer in waiting.collect::<Vec<_>>() {
            let answer = finish("the timeout of the provider", answer).await.expect("an answer");
            assert_eq!(answer.status, 503);
            assert!(answer.header("content-type").starts_with("text/html"), "a page for people");
        }
        oidc.provider.delay(Duration::ZERO);
        oidc.sign_in_as("vera-1", "vera@example.org").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o07_an_unreachable_provider_does_not_delay_the_start() {
    let mut gone = Provider::start().await.config();
    gone.issuer = "http://127.0.0.1:1".to_owned();
    let app = TestApp::start_with(Backend::Sqlite, |config| config.identity_providers.push(gone)).await;
    app.administrator().await;
    let answer = app.anonymous().submit("/auth/test/start", &[]).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
}

each_oidc_db! {
    async fn o07_discovery_is_cached_and_keys_may_change(oidc: OidcApp) {
        oidc.app.administrator().await;
        for _ in 0..3 {
            oidc.sign_in_as("vera-1", "vera@example.org").await;
        }
        assert_eq!(oidc.provider.discovery_requests(), 1);
        oidc.provider.rename_key("key-2");
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        assert_eq!(oidc.provider.discovery_requests(), 1, "only the keys were asked for");
        oidc.app.state.clock.advance(3_601);
        oidc.sign_in_as("vera-1", "vera@example.org").await;
        assert_eq!(oidc.provider.discovery_requests(), 2);
    }
}

each_oidc_db! {
    async fn o07_a_provider_with_invalid_metadata_is_not_used(oidc: OidcApp) {
        oidc.app.administrator().await;
        let secure = "https://login.example/authorize";
        for odd in [
            json!({ "issuer": "https://login.example" }),
            json!({ "issuer": format!("{}/", oidc.provider.issuer()) }),
            json!({ "authorization_endpoint": "http://login.example/authorize" }),
            json!({ "authorization_endpoint": "javascript:alert(1)" }),
            json!({ "authorization_endpoint": null }),
            json!({ "jwks_uri": "http://192.0.2.1/keys" }),
            json!({ "authorization_endpoint": secure, "op_policy_uri": "x".repeat(1_000_001) }),
        ] {
            oidc.app.state.clock.advance(3_601);
            oidc.provider.set_metadata(odd.clone());
            let answer = oidc.app.anonymous().submit("/auth/test/start", &[]).await;
            assert_eq!(answer.status, 503, "{}", odd.to_string().chars().take(200).collect::<String>());
        }
        oidc.provider.set_metadata(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
        oidc.sign_in_as("vera-1", "vera@example.org").await;

        // The new authorization endpoint is used, and the content security policy allows it.
        oidc.app.state.clock.advance(3_601);
        oidc.provider.set_metadata(json!({ "authorization_endpoint": secure }));
        let away = oidc.app.anonymous().submit("/auth/test/start", &[]).await;
        assert!(away.header("location").starts_with(secure), "{}", away.text());
        let page = oidc.app.anonymous().get("/sign-in").await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://login.example; base-uri"), "{policy}");
    }
}

/// Disables Vera's account.
async fn disable_vera(app: &TestApp) {
    let statement = "update users set disabled_at = 1 where email_key = 'vera@example.org'";
    let changed = app.execute(statement).await;
    assert_eq!(changed, 1);
}

each_oidc_db! {
    async fn disabled_accounts_are_refused_like_forged_tokens(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut inside = oidc.sign_in_as("vera-1", "vera@example.org").await;
        disable_vera(&oidc.app).await;
        assert_eq!(current_user(&mut inside).await, None);
        let mut outside = oidc.app.anonymous();
        let shut = oidc.run_flow(&mut outside, &[]).await;
        assert_refused(&mut outside, &shut, 400, "disabled").await;
        let forged = TestIdentity { signed: Signing::Unsigned, ..verified_identity("vera-1", "vera@example.org") };
        let forged = oidc.run_flow_as(&mut outside, forged).await;
        assert_eq!(shut.body, forged.body);
    }
}

each_oidc_db! {
    async fn r06_the_last_sign_in_method_cannot_be_removed(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut vera = oidc.sign_in_as("vera-1", "vera@example.org").await;
        let own = identities(&mut vera).await;
        let refused = unlink(&mut vera, &own[0]).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        oidc.provider.set_identity(verified_identity("vera-2", "vera@example.org"));
        assert_eq!(oidc.run_flow(&mut vera, &[("purpose", "link")]).await.status, 303);
        let own = identities(&mut vera).await;
        assert_eq!(own.len(), 2);
        // If two requests unlink one each at the same time, one fails.
        let (mut one, mut two) = (vera.clone(), vera.clone());
        let (first, second) = tokio::join!(unlink(&mut one, &own[0]), unlink(&mut two, &own[1]));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(identities(&mut vera).await.len(), 1);
    }
}

each_oidc_db! {
    async fn linking_needs_a_sign_in(oidc: OidcApp) {
        let mut ada = oidc.app.administrator().await;
        let mut bob = oidc.app.person("bob@example.org", "Bob").await;
        let refused = oidc.app.anonymous().submit("/auth/test/start", &[("purpose", "link")]).await;
        assert_eq!(refused.status, 401);
        let refused = ada.submit("/auth/test/start", &[("purpose", "take")]).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        let refused = ada.submit("/auth/test/start", &[("purpose", "sign_in"), ("purpose", "link")]).await;
        assert_eq!(refused.status, 400, "{}", refused.text());

        assert_eq!(oidc.run_flow(&mut ada, &[("purpose", "link")]).await.status, 303);
        assert_eq!(oidc.run_flow(&mut ada, &[("purpose", "link")]).await.status, 303, "again changes nothing");
        let linked = identities(&mut ada).await;
        assert_eq!(linked.len(), 1);
        let refused = oidc.run_flow(&mut bob, &[("purpose", "link")]).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(identities(&mut bob).await, []);
        let (foreign, unknown) = (unlink(&mut bob, &linked[0]).await, {
            let none = Identity { subject: "nobody".into(), ..linked[0].clone() };
            unlink(&mut bob, &none).await
        });
        assert_eq!((foreign.status.as_u16(), &foreign.body), (404, &unknown.body));

        // A callback in another user's session does not link the identity.
        oidc.provider.set_identity(verified_identity("new-1", "new@example.org"));
        let back = oidc.callback_path(&mut ada, &[("purpose", "link")]).await;
        bob.cookies.insert("colloquy-flow".to_owned(), ada.cookies["colloquy-flow"].clone());
        assert_eq!(bob.get(&back).await.status, 400);
        assert_eq!((identities(&mut ada).await.len(), identities(&mut bob).await.len()), (1, 0));
    }
}

each_oidc_db! {
    async fn a09_exactly_one_account_is_the_first_by_any_sign_up_method(oidc: OidcApp) {
        let mut tries = Vec::new();
        for index in 0..4 {
            let mut browser = oidc.app.anonymous();
            let subject = format!("guest-{index}");
            oidc.provider.set_identity(verified_identity(&subject, &format!("{subject}@example.org")));
            let back = oidc.callback_path(&mut browser, &[]).await;
            tries.push((browser, back));
        }
        let guests = tries.into_iter().map(|(mut browser, back)| {
            tokio::spawn(async move {
                browser.get(&back).await;
                browser
            })
        });
        let others = (0..4).map(|index| {
            let mut browser = oidc.app.anonymous();
            tokio::spawn(async move {
                let email = format!("p{index}@example.org");
                browser.post_form("/api/sign_up", &[("email", &email), ("name", "P"), ("password", PASSWORD)]).await;
                browser
            })
        });
        let mut administrators = std::collections::BTreeSet::new();
        for tried in guests.chain(others).collect::<Vec<_>>() {
            let mut browser = tried.await.expect("an answer");
            if let Some(user) = current_user(&mut browser).await.filter(|user| user.role == Role::Administrator) {
                administrators.insert(user.id);
            }
        }
        assert_eq!(administrators.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a09_sign_up_closes_after_the_first_account() {
    for (backend, open, by_provider) in
        [(Backend::Sqlite, false, true), (Backend::PostgresAndRedis, false, true), (Backend::Sqlite, true, false)]
    {
        let oidc = OidcApp::start(backend, |config| {
            config.sign_up_open = open;
            config.identity_providers[0].sign_up = by_provider;
        })
        .await;
        let mut first = oidc.sign_in_as("first-1", "first@example.org").await;
        assert_eq!(current_user(&mut first).await.expect("the first").role, Role::Administrator);
        let mut second = oidc.app.anonymous();
        let answer = oidc.run_flow_as(&mut second, verified_identity("second-1", "second@example.org")).await;
        assert_refused(&mut second, &answer, 403, "sign-up is closed").await;
        let found = oidc.app.state.store.read().await.expect("a unit").find_user_by_email("second@example.org").await;
        assert!(found.expect("an answer").is_none(), "nothing is left of it");
        oidc.sign_in_as("first-1", "first@example.org").await;
    }
}

each_oidc_db! {
    async fn forms_may_redirect_to_providers_only_from_this_site(oidc: OidcApp) {
        let page = oidc.app.anonymous().get("/sign-in").await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains(&format!("form-action 'self' {};", oidc.provider.issuer())), "{policy}");

        let mut browser = oidc.app.anonymous();
        for (site, origin) in [("cross-site", "https://evil.example"), ("same-site", "http://127.0.0.1:3001"), ("none", "null")] {
            let request = browser
                .request(Method::GET, "/auth/test/start")
                .method(Method::POST)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", site)
                .header("origin", origin);
            assert_eq!(browser.send(request.body(Body::empty()).expect("a request")).await.status, 403);
        }
        assert_eq!(browser.get("/auth/test/start").await.status, 405);
        assert_eq!(browser.submit("/auth/other/start", &[]).await.status, 404);
        assert!(browser.cookies.is_empty());

        // The callback is a cross-site navigation.
        let back = oidc.callback_path(&mut browser, &[]).await;
        let request = browser
            .request(Method::GET, &back)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .header("referer", oidc.provider.issuer());
        let done = browser.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(done.status, 303);
        assert!(!browser.cookies.contains_key("colloquy-flow"), "it has served");
    }
}

each_oidc_db! {
    async fn starting_flows_is_rate_limited(oidc: OidcApp) {
        let mut eager = oidc.app.anonymous().at("198.51.100.7");
        for _ in 0..60 {
            assert_eq!(eager.submit("/auth/test/start", &[]).await.status, 303);
        }
        let refused = eager.post_form("/auth/test/start", &[]).await;
        assert!(matches!(refused.error(), AppError::RateLimited { .. }), "{}", refused.text());
        assert_eq!(oidc.app.anonymous().at("203.0.113.9").submit("/auth/test/start", &[]).await.status, 303);
    }
}

each_oidc_db! {
    async fn s08_reauthentication_by_a_provider_needs_the_linked_identity(oidc: OidcApp) {
        oidc.app.administrator().await;
        let mut vera = oidc.sign_in_as("vera-1", "vera@example.org").await;
        let password = [("password", "plum-harbor-sextant-42")];
        oidc.app.state.clock.advance(11 * 60);
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 403, "not even the first one");
        let proof: colloquy::domain::ReauthMethods = vera.post_json("/api/find_proof", &serde_json::json!({})).await.json();
        assert!(!proof.recently_authenticated && !proof.password && proof.providers.len() == 1, "{proof:?}");
        assert_eq!(vera.post_form("/api/confirm_identity", &[("password", "")]).await.status, 409);

        // Another identity at the provider, and a sign-in at the provider that is too old.
        let next = [("purpose", "confirm"), ("next", "/settings/security#password-section")];
        oidc.provider.set_identity(verified_identity("mallory-1", "mallory@example.org"));
        let refused = oidc.run_flow(&mut vera, &next).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        let mut stale = verified_identity("vera-1", "vera@example.org");
        stale.claims["auth_time"] = (oidc.app.state.clock.now().micros() / 1_000_000 - 3_600).into();
        oidc.provider.set_identity(stale);
        assert_eq!(oidc.run_flow(&mut vera, &next).await.status, 400);
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 403);

        // A missing or malformed `auth_time`, and one far in the future.
        for odd in [json!(null), json!("+7200"), json!("just now")] {
            let mut silent = verified_identity("vera-1", "vera@example.org");
            silent.claims["auth_time"] = odd.clone();
            oidc.provider.set_identity(silent);
            let refused = oidc.run_flow(&mut vera, &next).await;
            assert_eq!(refused.status, 400, "{odd}: {}", refused.text());
            assert!(!refused.text().contains("start again"), "{odd}: {}", refused.text());
        }
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 403);
        let sql = "select detail from audit where action = 'setup_fault'";
        let entries = oidc.app.column(sql).await;
        assert!(entries.len() == 1 && entries[0].contains("`auth_time` is missing"), "{entries:?}");

        oidc.provider.set_identity(verified_identity("vera-1", "vera@example.org"));
        let before = vera.cookies["colloquy"].clone();
        let done = oidc.run_flow(&mut vera, &next).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/settings/security#password-section"));
        assert_ne!(vera.cookies["colloquy"], before, "s02: the session has a new id");
        assert_eq!(vera.post_form("/api/change_password", &password).await.status, 200);
        let mut again = oidc.app.anonymous();
        let form = [("email", "vera@example.org"), password[0]];
        assert_eq!(again.post_form("/api/sign_in", &form).await.status, 200);
    }
}

each_oidc_db! {
    async fn l01_refused_flows_are_recorded(oidc: OidcApp) {
        let mut ada = oidc.app.administrator().await;
        let refusals = async || {
            let sql = "select a.action || ' ' || a.detail || ' ' || coalesce(u.name, 'nobody') from audit a
                       left join users u on u.id = a.subject_id where a.outcome = 'refused' order by a.at, a.id";
            oidc.app.column(sql).await
        };
        let mut mallory = oidc.app.anonymous();
        assert_eq!(mallory.get("/auth/test/callback?state=forged&code=x").await.status, 400);
        let forged = TestIdentity { signed: Signing::Unsigned, ..verified_identity("vera-1", "vera@example.org") };
        assert_eq!(oidc.run_flow_as(&mut mallory, forged).await.status, 400);
        assert_eq!(oidc.run_flow_as(&mut mallory, verified_identity("vera-1", "ada@example.org")).await.status, 409);
        assert_eq!(refusals().await, ["sign_in Test & Sons nobody", "sign_in Test & Sons nobody", "sign_up Test & Sons nobody"]);
        oidc.sign_in_as("vera-2", "vera@example.org").await;
        assert_eq!(oidc.run_flow(&mut ada, &[("purpose", "link")]).await.status, 409, "it is Vera's");
        assert_eq!(refusals().await[3..], ["link_identity Test & Sons Ada"]);
        let made = "select action || ' ' || detail from audit where outcome = 'done' and subject_id =
                    (select id from users where email = 'vera@example.org') order by at, id";
        let known = ["sign_up Test & Sons", "verify_address by a provider", "sign_in Test & Sons"];
        assert_eq!(oidc.app.column(made).await, known);
        // The number of entries is limited.
        for _ in 0..80 {
            mallory.get("/auth/test/callback?state=forged&code=x").await;
        }
        assert!(refusals().await.len() <= 64, "{}", refusals().await.len());
    }
}

each_oidc_db! {
    async fn r05_linking_and_unlinking_are_notified_by_mail(oidc: OidcApp) {
        let smtp = Smtp::start().await;
        let mail = smtp.config();
        let oidc = OidcApp::start(oidc.app.backend(), |config| config.mail = Some(mail)).await;
        let mut ada = oidc.app.administrator().await;
        assert_eq!(oidc.run_flow(&mut ada, &[("purpose", "link")]).await.status, 303);
        let linked = identities(&mut ada).await;
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 200);
        let mails = smtp.mails_to(&oidc.app.state, "ada@example.org", 2).await;
        for (mail, expected) in mails.iter().zip(["was connected to Test & Sons", "was disconnected"]) {
            let text = mail.part("text/plain");
            assert!(text.contains(expected) && text.contains("from 127.0.0.*"), "{text}");
        }
    }
}

each_oidc_db! {
    async fn an_invited_person_may_sign_up_by_a_provider(oidc: OidcApp) {
        let oidc = OidcApp::start(oidc.app.backend(), |config| config.identity_providers[0].sign_up = false).await;
        oidc.app.administrator().await;
        let mut uninvited = oidc.app.anonymous();
        let shut = oidc.run_flow_as(&mut uninvited, verified_identity("vera-1", "vera@example.org")).await;
        assert_refused(&mut uninvited, &shut, 403, "sign-up is closed").await;

        let token = oidc.app.invitation_for(None).await;
        let page = oidc.app.anonymous().get(&format!("/sign-up?invitation={token}")).await;
        assert!(page.text().contains("Continue with Test &amp; Sons") && page.text().matches(&token).count() >= 2, "{}", page.text());
        let mut vera = oidc.app.anonymous();
        let done = oidc.run_flow(&mut vera, &[("invitation", &token)]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"), "{}", done.text());
        let made = current_user(&mut vera).await.expect("Vera");
        assert_eq!((made.email.as_str(), made.role), ("vera@example.org", Role::Member));
        let written = oidc.app.column("select detail from audit where action = 'sign_up' and outcome = 'done' order by at, id").await;
        assert_eq!(written, ["", "invitation"]);

        // It was valid once, and a forged one is refused.
        oidc.provider.set_identity(verified_identity("walter-1", "walter@example.org"));
        for token in [token.as_str(), &"A".repeat(43)] {
            let mut walter = oidc.app.anonymous();
            let refused = oidc.run_flow(&mut walter, &[("invitation", token)]).await;
            assert_refused(&mut walter, &refused, 400, "a dead invitation").await;
        }
        let bad = oidc.app.anonymous().submit("/auth/test/start", &[("invitation", "x")]).await;
        assert_eq!(bad.status, 400, "{}", bad.text());
        // An invitation for one address.
        let bound = oidc.app.invitation_for(Some("xenia@example.org")).await;
        let mut walter = oidc.app.anonymous();
        let refused = oidc.run_flow(&mut walter, &[("invitation", &bound)]).await;
        assert_refused(&mut walter, &refused, 400, "another's invitation").await;
        oidc.provider.set_identity(verified_identity("xenia-1", "xenia@example.org"));
        let mut xenia = oidc.app.anonymous();
        assert_eq!(oidc.run_flow(&mut xenia, &[("invitation", &bound)]).await.status, 303);
        assert_eq!(current_user(&mut xenia).await.expect("Xenia").email, "xenia@example.org");
        assert_eq!(oidc.app.column("select email from users").await.len(), 3);
    }
}
