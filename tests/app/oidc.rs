//! Coming in by an identity provider, and everything that must not come in that way.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::{Method, header::CONTENT_TYPE},
};
use colloquy::{
    domain::{AppError, CurrentUser, Identity, IdentityProvider, Role},
    server::config::{Config, PublicUrl},
};
use openidconnect::url::Url;
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

use crate::support::{
    app::{Kept, PASSWORD, TestApp},
    client::{Answer, Client},
    provider::{Plan, Provider, Signed, person},
};

/// An installation that knows a provider.
struct House {
    app: TestApp,
    provider: Provider,
}

/// Runs a test on each database, with a provider and an open door.
macro_rules! each_house {
    (async fn $name:ident($house:ident: House) $body:block) => {
        mod $name {
            use super::*;

            async fn test($house: House) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                test(House::start(Kept::Sqlite, |config| config.sign_up_open = true).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                test(House::start(Kept::PostgresAndRedis, |config| config.sign_up_open = true).await).await;
            }
        }
    };
}

impl House {
    async fn start(kept: Kept, change: impl FnOnce(&mut Config)) -> Self {
        let provider = Provider::start().await;
        let known = provider.config();
        let app = TestApp::start_with(kept, |config| {
            config.identity_providers.push(known);
            change(config);
        })
        .await;
        provider.keep_time_by(&app.state.clock);
        Self { app, provider }
    }

    /// Begins a way to the provider and agrees there: the path that leads back.
    async fn way_back(&self, client: &mut Client, fields: &[(&str, &str)]) -> String {
        let away = client.submit("/auth/test/start", fields).await;
        assert_eq!(away.status, 303, "{}", away.text());
        self.provider.agree(away.header("location")).await
    }

    /// The whole way there and back.
    async fn visit(&self, client: &mut Client, fields: &[(&str, &str)]) -> Answer {
        let back = self.way_back(client, fields).await;
        client.get(&back).await
    }

    /// The whole way there and back, for whom the provider vouches by this plan.
    async fn visit_as(&self, client: &mut Client, plan: Plan) -> Answer {
        self.provider.vouch(plan);
        self.visit(client, &[]).await
    }

    /// Somebody who is signed in by the provider.
    async fn guest(&self, subject: &str, email: &str) -> Client {
        let mut client = self.app.stranger();
        let done = self.visit_as(&mut client, person(subject, email)).await;
        assert_eq!(done.status, 303, "{}", done.text());
        client
    }
}

async fn who(client: &mut Client) -> Option<CurrentUser> {
    client.post_form("/api/find_current_user", &[]).await.json()
}

async fn identities(client: &mut Client) -> Vec<Identity> {
    client.post_form("/api/list_identities", &[]).await.json()
}

async fn unlink(client: &mut Client, identity: &Identity) -> Answer {
    let fields = [("issuer", identity.issuer.as_str()), ("subject", identity.subject.as_str())];
    client.post_form("/api/unlink_identity", &fields).await
}

/// A page for people with this status, and nobody has come in.
async fn assert_refused(client: &mut Client, answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert!(answer.header("content-type").starts_with("text/html"), "{what}: a page");
    assert_eq!(who(client).await, None, "{what}: no session");
}

each_house! {
    async fn strangers_come_in_by_a_provider_and_are_known_again(house: House) {
        let mut ada = house.app.administrator().await;
        let providers: Vec<IdentityProvider> =
            house.app.stranger().post_form("/api/list_identity_providers", &[]).await.json();
        assert_eq!(providers, [IdentityProvider { name: "test".into(), label: "Test & Sons".into() }]);

        let mut vera = house.app.stranger();
        let done = house.visit(&mut vera, &[("next", "/sessions")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/sessions"), "{}", done.text());
        let made = who(&mut vera).await.expect("Vera");
        assert_eq!((made.name.as_str(), made.email.as_str(), made.role), ("Vera", "vera@example.org", Role::Member));

        house.app.state.clock.advance(3_000);
        let mut again = house.app.stranger();
        let done = house.visit(&mut again, &[]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
        assert_eq!(who(&mut again).await.expect("Vera").id, made.id);
        let [known] = &identities(&mut again).await[..] else { panic!("one identity") };
        assert_eq!((known.label.as_str(), known.subject.as_str()), ("Test & Sons", "vera-1"));
        assert!(known.last_used_at.micros() - known.created_at.micros() >= 3_000_000_000, "{known:?}");

        // An account with a password links, comes in by the provider, and unlinks.
        house.provider.vouch(person("ada-1", "ada@elsewhere.example"));
        let done = house.visit(&mut ada, &[("purpose", "link")]).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/settings"), "{}", done.text());
        let mut elsewhere = house.app.stranger();
        house.visit(&mut elsewhere, &[]).await;
        let signed_in = who(&mut elsewhere).await.expect("Ada");
        assert_eq!((signed_in.email.as_str(), signed_in.role), ("ada@example.org", Role::Administrator));
        let linked = identities(&mut ada).await;
        assert_eq!(linked.len(), 1);
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 200);
        assert_eq!(unlink(&mut ada, &linked[0]).await.status, 404);
        assert_eq!(identities(&mut ada).await, []);
        let mut other = house.app.stranger();
        house.visit(&mut other, &[]).await;
        assert_ne!(who(&mut other).await.expect("a new account").id, signed_in.id);
    }
}

each_house! {
    async fn o01_a_way_back_is_used_once_by_the_browser_that_began_it(house: House) {
        house.app.administrator().await;
        let mut browser = house.app.stranger();
        let back = house.way_back(&mut browser, &[]).await;
        let code = back.split(['?', '&']).find(|part| part.starts_with("code=")).expect("a code").to_owned();

        let mut other = house.app.stranger();
        let answer = other.get(&back).await;
        assert_refused(&mut other, &answer, 400, "a browser without a cookie").await;
        house.way_back(&mut other, &[]).await;
        let answer = other.get(&back).await;
        assert_refused(&mut other, &answer, 400, "another browser").await;

        let kept = browser.clone();
        for (path, what) in [
            (format!("/auth/test/callback?{code}"), "no state"),
            (format!("/auth/test/callback?{code}&state="), "an empty state"),
            (format!("/auth/test/callback?{code}&state={}", "A".repeat(43)), "a wrong state"),
            (format!("{back}x"), "a longer state"),
            (back.replace("/auth/test/", "/auth/TEST/"), "another provider"),
        ] {
            let mut browser = kept.clone();
            let answer = browser.get(&path).await;
            let status = if what == "another provider" { 404 } else { 400 };
            assert_refused(&mut browser, &answer, status, what).await;
        }
        assert_eq!(house.provider.tokens(), 0, "the provider is not asked");

        let mut thief = kept.clone();
        assert_eq!(browser.get(&back).await.status, 303);
        assert_eq!(house.provider.tokens(), 1);
        let answer = thief.get(&back).await;
        assert_refused(&mut thief, &answer, 400, "used before").await;

        let mut late = house.app.stranger();
        let back = house.way_back(&mut late, &[]).await;
        house.app.state.clock.advance(660);
        let answer = late.get(&back).await;
        assert_refused(&mut late, &answer, 400, "eleven minutes old").await;
        assert_eq!(house.provider.tokens(), 1, "the provider is not asked");
    }
}

each_house! {
    async fn o01_of_many_at_once_one_comes_in(house: House) {
        house.app.administrator().await;
        let mut browser = house.app.stranger();
        let back = house.way_back(&mut browser, &[]).await;
        let tries = (0..8).map(|_| {
            let (mut browser, back) = (browser.clone(), back.clone());
            tokio::spawn(async move { browser.get(&back).await.status.as_u16() })
        });
        let mut statuses = Vec::new();
        for tried in tries.collect::<Vec<_>>() {
            statuses.push(tried.await.expect("an answer"));
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![303], vec![400; 7]].concat());
        assert_eq!(house.provider.tokens(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o02_addresses_come_from_the_configuration() {
    for https in [false, true] {
        let house = House::start(Kept::Sqlite, |config| {
            config.url = https.then(|| PublicUrl { https, host: "127.0.0.1:3000".to_owned() });
        })
        .await;
        let mut browser = house.app.stranger();
        browser.scheme = if https { "https" } else { "http" };
        let request = browser
            .request(Method::POST, "/auth/test/start")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "gopher")
            .header("forwarded", "host=evil.example;proto=https");
        let away = browser.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(away.status, 303, "{}", away.text());
        let address: Url = away.header("location").parse().expect("a URL");
        let redirect =
            address.query_pairs().find(|(name, _)| name == "redirect_uri").expect("a redirect").1.into_owned();
        assert_eq!(redirect, format!("{}://127.0.0.1:3000/auth/test/callback", browser.scheme));
        assert!(!away.header("location").contains("evil"));

        let cookie = away.header("set-cookie");
        let name = if https { "__Host-colloquy-flow=" } else { "colloquy-flow=" };
        assert!(cookie.starts_with(name), "{cookie}");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=600"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        assert_eq!(cookie.contains("; Secure"), https, "{cookie}");

        let mut request = browser.request(Method::POST, "/auth/test/start");
        request.headers_mut().expect("headers").insert("host", "evil.example".parse().expect("a value"));
        let answer = browser.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, 421);
    }
}

each_house! {
    async fn o03_only_issuer_and_subject_say_who_it_is(house: House) {
        house.app.administrator().await;
        let mut vera = house.guest("ver%_a", "vera@example.org").await;
        let vera = who(&mut vera).await.expect("Vera");
        for (index, subject) in ["VER%_A", "ver%_", "ver__a", "%", "_", "ver%_a ", " ver%_a", "ver%25_a"].iter().enumerate() {
            let mut same = house.app.stranger();
            let answer = house.visit_as(&mut same, person(subject, "vera@example.org")).await;
            assert_refused(&mut same, &answer, 409, subject).await;
            let mut other = house.guest(subject, &format!("v{index}@example.org")).await;
            assert_ne!(who(&mut other).await.expect("somebody").id, vera.id, "{subject}");
        }
        // Another address of the same person is the same person.
        let mut again = house.guest("ver%_a", "other@example.org").await;
        assert_eq!(who(&mut again).await, Some(vera));
    }
}

each_house! {
    async fn o04_an_account_is_never_linked_by_its_address(house: House) {
        let mut ada = house.app.administrator().await;
        for address in ["ada@example.org", "ADA@Example.Org"] {
            let mut other = house.app.stranger();
            let answer = house.visit_as(&mut other, person("ada-1", address)).await;
            assert_refused(&mut other, &answer, 409, address).await;
            assert!(answer.text().contains("An account with this address exists. Sign in with its password, then link the provider in the settings."), "{}", answer.text());
        }
        assert_eq!(identities(&mut ada).await, []);
        // The other way round: whoever came by a provider is not taken over by a password.
        let mut vera = house.guest("vera-1", "vera@example.org").await;
        let mut thief = house.app.stranger();
        let form = [("email", "vera@example.org"), ("name", "Vera"), ("password", PASSWORD)];
        assert_eq!(thief.post_form("/api/sign_up", &form).await.status, 409);
        for guess in ["", "x", PASSWORD] {
            let form = [("email", "vera@example.org"), ("password", guess)];
            let refused = thief.post_form("/api/sign_in", &form).await;
            let unknown = thief.post_form("/api/sign_in", &[("email", "nobody@example.org"), ("password", guess)]).await;
            assert_eq!((refused.status.as_u16(), &refused.body), (422, &unknown.body), "{guess:?}");
        }
        assert_eq!(who(&mut thief).await, None);
        assert!(who(&mut vera).await.is_some());
    }
}

each_house! {
    async fn o05_forged_tokens_let_nobody_in(house: House) {
        house.app.administrator().await;
        let known = house.guest("vera-1", "vera@example.org").await;
        drop(known);
        let good = person("vera-1", "vera@example.org");
        let signed = |signed| Plan { signed, ..good.clone() };
        let claims = |name: &str, value: serde_json::Value| {
            let mut plan = good.clone();
            plan.claims[name] = value;
            plan
        };
        let header = |header| Plan { header, ..good.clone() };
        let ours = house.provider.config().client_id;
        let forgeries = [
            ("no signature", signed(Signed::Not)),
            ("the public key as a secret", signed(Signed::WithPublicKey)),
            ("the client's secret", signed(Signed::WithClientSecret)),
            ("another key", signed(Signed::ByAnother)),
            ("changed after it was signed", signed(Signed::ThenChanged)),
            ("another key id", header(json!({ "kid": "other" }))),
            ("a critical header", header(json!({ "crit": ["exp"] }))),
            ("an unknown algorithm", header(json!({ "alg": "XS256" }))),
            ("none in the header", header(json!({ "alg": "none" }))),
            ("another audience", claims("aud", json!("other"))),
            ("no audience", claims("aud", json!([]))),
            ("a further audience", claims("aud", json!([ours, "other"]))),
            ("another party", claims("azp", json!("other"))),
            ("another issuer", claims("iss", json!("http://127.0.0.1:1"))),
            ("the issuer with a slash", claims("iss", json!(format!("{}/", house.provider.issuer())))),
            ("another nonce", claims("nonce", json!("other"))),
            ("no nonce", claims("nonce", json!(null))),
            ("expired", claims("exp", json!("-120"))),
            ("without an end", claims("exp", json!(null))),
            ("issued long ago", claims("iat", json!("-3600"))),
            ("issued in the future", claims("iat", json!("+3600"))),
            ("an address that nobody verified", claims("email_verified", json!(false))),
            ("an address of which nothing is said", claims("email_verified", json!(null))),
            ("no address", claims("email", json!(null))),
            ("an address that is none", claims("email", json!("vera@example.org\r\nBcc: x@example.org"))),
            ("no subject", claims("sub", json!(null))),
            ("an empty subject", claims("sub", json!(""))),
            ("a subject with a NUL", claims("sub", json!("vera-1\0"))),
            ("a subject that is too long", claims("sub", json!("x".repeat(256)))),
        ];
        for (what, plan) in forgeries {
            let mut browser = house.app.stranger();
            let answer = house.visit_as(&mut browser, plan).await;
            assert_refused(&mut browser, &answer, 400, what).await;
        }
        house.guest("vera-1", "vera@example.org").await;
    }
}

each_house! {
    async fn o06_nobody_is_sent_elsewhere(house: House) {
        for next in [
            "//evil.example", "/\\evil.example", "\\/evil.example", "https:evil.example", "https://evil.example", "@evil.example",
            "evil.example", "/\t/evil.example", "/\r\nLocation: //evil.example", "data:text/html,x", "javascript:alert(1)",
            "///evil.example", "/\\/evil.example", "\\\\evil.example", " //evil.example", "http:///evil.example",
            "\u{2044}/evil.example", "/\u{0000}/evil.example", "?//evil.example", "#//evil.example",
        ] {
            let mut browser = house.app.stranger();
            let done = house.visit(&mut browser, &[("next", next)]).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"), "{next:?}");
        }
        for next in ["/%2f/evil.example", "/a//evil.example", "/sessions?next=//evil.example"] {
            let mut browser = house.app.stranger();
            let done = house.visit(&mut browser, &[("next", next)]).await;
            assert_eq!(done.header("location"), next);
        }
        // Nothing that comes back says where to go.
        let mut browser = house.app.stranger();
        let back = house.way_back(&mut browser, &[]).await;
        let done = browser.get(&format!("{back}&next=//evil.example")).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
    }
}

each_house! {
    async fn o07_a_provider_that_hangs_harms_nobody_else(house: House) {
        house.app.administrator().await;
        let mut known = house.app.stranger();
        let back = house.way_back(&mut known, &[]).await;
        house.provider.delay(Duration::from_secs(60));
        // What it said about itself is too old by now, but the way back is not.
        house.app.state.clock.advance(590);
        let begun = Instant::now();
        let hanging = tokio::spawn(async move {
            let answer = known.get(&back).await;
            (known, answer)
        });
        for _ in 0..3 {
            let mut ada = house.app.stranger();
            let tried = Instant::now();
            let form = [("email", "ada@example.org"), ("password", PASSWORD)];
            assert_eq!(ada.post_form("/api/sign_in", &form).await.status, 200);
            assert!(tried.elapsed() < Duration::from_secs(3), "signing in took {:?}", tried.elapsed());
        }
        let (mut known, answer) = hanging.await.expect("an answer");
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        assert_refused(&mut known, &answer, 503, "the token does not come").await;
        assert!(answer.text().contains("Test &amp; Sons does not answer right now."), "{}", answer.text());

        house.app.state.clock.advance(3_600);
        let begun = Instant::now();
        let waiting = (0..4).map(|_| {
            let mut client = house.app.stranger();
            tokio::spawn(async move { client.submit("/auth/test/start", &[]).await })
        });
        for answer in waiting.collect::<Vec<_>>() {
            let answer = answer.await.expect("an answer");
            assert_eq!(answer.status, 503);
            assert!(answer.header("content-type").starts_with("text/html"), "a page for people");
        }
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        house.provider.delay(Duration::ZERO);
        house.guest("vera-1", "vera@example.org").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn o07_a_provider_that_is_not_there_does_not_hold_up_the_start() {
    let mut gone = Provider::start().await.config();
    gone.issuer = "http://127.0.0.1:1".to_owned();
    let app = TestApp::start_with(Kept::Sqlite, |config| config.identity_providers.push(gone)).await;
    app.administrator().await;
    let answer = app.stranger().submit("/auth/test/start", &[]).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
}

each_house! {
    async fn o07_a_provider_is_asked_about_itself_once_and_may_change_its_keys(house: House) {
        house.app.administrator().await;
        for _ in 0..3 {
            house.guest("vera-1", "vera@example.org").await;
        }
        assert_eq!(house.provider.discovered(), 1);
        house.provider.rename_key("key-2");
        house.guest("vera-1", "vera@example.org").await;
        assert_eq!(house.provider.discovered(), 1, "only the keys were asked for");
        house.app.state.clock.advance(3_601);
        house.guest("vera-1", "vera@example.org").await;
        assert_eq!(house.provider.discovered(), 2);
    }
}

each_house! {
    async fn o07_a_provider_that_says_odd_things_about_itself_is_not_used(house: House) {
        house.app.administrator().await;
        let secure = "https://login.example/authorize";
        for odd in [
            json!({ "issuer": "https://login.example" }),
            json!({ "issuer": format!("{}/", house.provider.issuer()) }),
            json!({ "authorization_endpoint": "http://login.example/authorize" }),
            json!({ "authorization_endpoint": "javascript:alert(1)" }),
            json!({ "authorization_endpoint": null }),
            json!({ "jwks_uri": "http://192.0.2.1/keys" }),
            json!({ "authorization_endpoint": secure, "op_policy_uri": "x".repeat(1_000_001) }),
        ] {
            house.app.state.clock.advance(3_601);
            house.provider.claim(odd.clone());
            let answer = house.app.stranger().submit("/auth/test/start", &[]).await;
            assert_eq!(answer.status, 503, "{}", odd.to_string().chars().take(200).collect::<String>());
        }
        house.provider.claim(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
        house.guest("vera-1", "vera@example.org").await;

        // Where people are sent from now on, and nowhere else.
        house.app.state.clock.advance(3_601);
        house.provider.claim(json!({ "authorization_endpoint": secure }));
        let away = house.app.stranger().submit("/auth/test/start", &[]).await;
        assert!(away.header("location").starts_with(secure), "{}", away.text());
        let page = house.app.stranger().get("/sign-in").await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://login.example; base-uri"), "{policy}");
    }
}

/// Shuts Vera's account, as an administrator would.
async fn shut_vera(app: &TestApp) {
    let statement = "update users set disabled_at = 1 where email_key = 'vera@example.org'";
    let changed = match &app.config.database_url {
        Some(url) => {
            let mut database = PgConnection::connect(url.expose_secret()).await.expect("the test's database");
            database.execute(statement).await.expect("an update").rows_affected()
        }
        None => {
            let file = app.config.data.join("colloquy.db");
            let mut database =
                SqliteConnection::connect(&file.display().to_string()).await.expect("the test's database");
            database.execute(statement).await.expect("an update").rows_affected()
        }
    };
    assert_eq!(changed, 1);
}

each_house! {
    async fn shut_accounts_are_refused_like_forgeries(house: House) {
        house.app.administrator().await;
        let mut inside = house.guest("vera-1", "vera@example.org").await;
        shut_vera(&house.app).await;
        assert_eq!(who(&mut inside).await, None);
        let mut outside = house.app.stranger();
        let shut = house.visit(&mut outside, &[]).await;
        assert_refused(&mut outside, &shut, 400, "shut").await;
        let forged = Plan { signed: Signed::Not, ..person("vera-1", "vera@example.org") };
        let forged = house.visit_as(&mut outside, forged).await;
        assert_eq!(shut.body, forged.body);
    }
}

each_house! {
    async fn r06_the_last_way_to_sign_in_stays(house: House) {
        house.app.administrator().await;
        let mut vera = house.guest("vera-1", "vera@example.org").await;
        let own = identities(&mut vera).await;
        let refused = unlink(&mut vera, &own[0]).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        house.provider.vouch(person("vera-2", "vera@example.org"));
        assert_eq!(house.visit(&mut vera, &[("purpose", "link")]).await.status, 303);
        let own = identities(&mut vera).await;
        assert_eq!(own.len(), 2);
        // Of two that remove one each at once, one fails.
        let (mut one, mut two) = (vera.clone(), vera.clone());
        let (first, second) = tokio::join!(unlink(&mut one, &own[0]), unlink(&mut two, &own[1]));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(identities(&mut vera).await.len(), 1);
    }
}

each_house! {
    async fn linking_is_for_those_who_are_signed_in(house: House) {
        let mut ada = house.app.administrator().await;
        let mut bob = house.app.person("bob@example.org", "Bob").await;
        let refused = house.app.stranger().submit("/auth/test/start", &[("purpose", "link")]).await;
        assert_eq!(refused.status, 401);
        let refused = ada.submit("/auth/test/start", &[("purpose", "take")]).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        let refused = ada.submit("/auth/test/start", &[("purpose", "sign_in"), ("purpose", "link")]).await;
        assert_eq!(refused.status, 400, "{}", refused.text());

        assert_eq!(house.visit(&mut ada, &[("purpose", "link")]).await.status, 303);
        assert_eq!(house.visit(&mut ada, &[("purpose", "link")]).await.status, 303, "again changes nothing");
        let linked = identities(&mut ada).await;
        assert_eq!(linked.len(), 1);
        let refused = house.visit(&mut bob, &[("purpose", "link")]).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(identities(&mut bob).await, []);
        let (foreign, unknown) = (unlink(&mut bob, &linked[0]).await, {
            let none = Identity { subject: "nobody".into(), ..linked[0].clone() };
            unlink(&mut bob, &none).await
        });
        assert_eq!((foreign.status.as_u16(), &foreign.body), (404, &unknown.body));

        // Somebody who signs in as another on the way does not get the first one's link.
        house.provider.vouch(person("new-1", "new@example.org"));
        let back = house.way_back(&mut ada, &[("purpose", "link")]).await;
        bob.cookies.insert("colloquy-flow".to_owned(), ada.cookies["colloquy-flow"].clone());
        assert_eq!(bob.get(&back).await.status, 400);
        assert_eq!((identities(&mut ada).await.len(), identities(&mut bob).await.len()), (1, 0));
    }
}

each_house! {
    async fn row_69_odd_ways_back_are_refused_and_nothing_of_them_is_shown(house: House) {
        house.app.administrator().await;
        let oddities = [
            "error=%3Cscript%3Ealert(1)%3C%2Fscript%3E&error_description=%3Cimg%20src%3Dx%20onerror%3Dalert(2)%3E",
            "error=access_denied&code=code-1",
            "code=one&code=two",
            "code=one&iss=https%3A%2F%2Fevil.example",
            "code=%3Cscript%3E",
            "code=",
            "",
        ];
        for odd in oddities {
            let mut browser = house.app.stranger();
            let back = house.way_back(&mut browser, &[]).await;
            let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
            let answer = browser.get(&format!("/auth/test/callback?{odd}&{state}")).await;
            assert_refused(&mut browser, &answer, 400, odd).await;
            for text in ["<script", "<img", "alert(", "access_denied", "evil"] {
                assert!(!answer.text().contains(text), "{odd}: {}", answer.text());
            }
        }
        let mut twice = house.app.stranger();
        let back = house.way_back(&mut twice, &[]).await;
        let state = back.split(['?', '&']).find(|part| part.starts_with("state=")).expect("a state");
        let answer = twice.get(&format!("{back}&{state}")).await;
        assert_refused(&mut twice, &answer, 400, "two states").await;
    }
}

each_house! {
    async fn a09_exactly_one_is_the_first_by_whichever_way(house: House) {
        let mut tries = Vec::new();
        for index in 0..4 {
            let mut browser = house.app.stranger();
            let subject = format!("guest-{index}");
            house.provider.vouch(person(&subject, &format!("{subject}@example.org")));
            let back = house.way_back(&mut browser, &[]).await;
            tries.push((browser, back));
        }
        let guests = tries.into_iter().map(|(mut browser, back)| {
            tokio::spawn(async move {
                browser.get(&back).await;
                browser
            })
        });
        let others = (0..4).map(|index| {
            let mut browser = house.app.stranger();
            tokio::spawn(async move {
                let email = format!("p{index}@example.org");
                browser.post_form("/api/sign_up", &[("email", &email), ("name", "P"), ("password", PASSWORD)]).await;
                browser
            })
        });
        let mut administrators = std::collections::BTreeSet::new();
        for tried in guests.chain(others).collect::<Vec<_>>() {
            let mut browser = tried.await.expect("an answer");
            if let Some(user) = who(&mut browser).await.filter(|user| user.role == Role::Administrator) {
                administrators.insert(user.id);
            }
        }
        assert_eq!(administrators.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a09_the_door_closes_behind_the_first_one() {
    for (kept, open, by_provider) in
        [(Kept::Sqlite, false, true), (Kept::PostgresAndRedis, false, true), (Kept::Sqlite, true, false)]
    {
        let house = House::start(kept, |config| {
            config.sign_up_open = open;
            config.identity_providers[0].sign_up = by_provider;
        })
        .await;
        let mut first = house.guest("first-1", "first@example.org").await;
        assert_eq!(who(&mut first).await.expect("the first").role, Role::Administrator);
        let mut second = house.app.stranger();
        let answer = house.visit_as(&mut second, person("second-1", "second@example.org")).await;
        assert_refused(&mut second, &answer, 403, "the door is closed").await;
        let found = house.app.state.store.read().await.expect("a unit").find_user_by_email("second@example.org").await;
        assert!(found.expect("an answer").is_none(), "nothing is left of it");
        house.guest("first-1", "first@example.org").await;
    }
}

each_house! {
    async fn forms_may_lead_to_providers_and_only_from_our_pages(house: House) {
        let page = house.app.stranger().get("/sign-in").await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains(&format!("form-action 'self' {};", house.provider.issuer())), "{policy}");

        let mut browser = house.app.stranger();
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

        // The way back crosses sites, as browsers say.
        let back = house.way_back(&mut browser, &[]).await;
        let request = browser
            .request(Method::GET, &back)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .header("referer", house.provider.issuer());
        let done = browser.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(done.status, 303);
        assert!(!browser.cookies.contains_key("colloquy-flow"), "it has served");
    }
}

each_house! {
    async fn nobody_begins_without_end(house: House) {
        let mut eager = house.app.stranger().at("198.51.100.7");
        for _ in 0..60 {
            assert_eq!(eager.submit("/auth/test/start", &[]).await.status, 303);
        }
        let refused = eager.post_form("/auth/test/start", &[]).await;
        assert!(matches!(refused.error(), AppError::RateLimited { .. }), "{}", refused.text());
        assert_eq!(house.app.stranger().at("203.0.113.9").submit("/auth/test/start", &[]).await.status, 303);
    }
}
